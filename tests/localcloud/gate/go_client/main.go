// Uses the account as any Go program does, with the variables of its environment alone, and says what it saw as JSON.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func whole(body io.ReadCloser) []byte {
	defer body.Close()
	return must(io.ReadAll(body))
}

// objects puts one with each checksum, as the SDK chooses and as told, and says which came back as they were.
func objects(ctx context.Context, client *s3.Client, bucket string) map[string]bool {
	large, same := make([]byte, 3<<20), map[string]bool{}
	must(rand.Read(large))
	for _, checksum := range []types.ChecksumAlgorithm{"", "SHA256", "CRC64NVME"} {
		key := "a b/ü+~&=% " + string(checksum)
		must(client.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &bucket, Key: &key, Body: bytes.NewReader(large), ChecksumAlgorithm: checksum,
		}))
		got := must(client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key}))
		same[string(checksum)] = bytes.Equal(whole(got.Body), large)
	}
	return same
}

// links puts and gets by presigned URLs, without keys.
func links(ctx context.Context, client *s3.Client, bucket string) string {
	presign, key := s3.NewPresignClient(client), "by link"
	put := must(presign.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key}))
	request := must(http.NewRequest(put.Method, put.URL, strings.NewReader("by link")))
	for name, values := range put.SignedHeader {
		if name != "Host" && name != "Content-Length" {
			request.Header[name] = values
		}
	}
	if answer := must(http.DefaultClient.Do(request)); answer.StatusCode != http.StatusOK {
		log.Fatal(answer.Status, string(whole(answer.Body)))
	}
	get := must(presign.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key}))
	return string(whole(must(http.Get(get.URL)).Body))
}

// refusal is the code that a caller with a wrong secret gets.
func refusal(ctx context.Context, settings aws.Config) string {
	settings.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: "wrong"}, nil
	})
	_, err := sts.NewFromConfig(settings).GetCallerIdentity(ctx, nil)
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		log.Fatal("not refused: ", err)
	}
	return refused.ErrorCode()
}

func main() {
	ctx, bucket := context.Background(), os.Args[1]
	settings := must(config.LoadDefaultConfig(ctx))
	client := s3.NewFromConfig(settings)
	must(client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}))
	invoked := must(lambda.NewFromConfig(settings).Invoke(ctx, &lambda.InvokeInput{
		FunctionName: &os.Args[2], Payload: []byte(`"given"`),
	}))
	quota := must(servicequotas.NewFromConfig(settings).GetServiceQuota(ctx, &servicequotas.GetServiceQuotaInput{
		ServiceCode: aws.String("lambda"), QuotaCode: aws.String("L-B99A9384"),
	}))
	assumed := settings.Copy()
	assumed.Credentials = stscreds.NewAssumeRoleProvider(sts.NewFromConfig(settings), os.Args[3])
	session := must(sts.NewFromConfig(assumed).GetCallerIdentity(ctx, nil))
	seen := map[string]any{
		"account": must(sts.NewFromConfig(settings).GetCallerIdentity(ctx, nil)).Account,
		"objects": objects(ctx, client, bucket),
		"link":    links(ctx, client, bucket),
		"as role": links(ctx, s3.NewFromConfig(assumed), bucket),
		"session": strings.Contains(*session.Arn, ":assumed-role/"),
		"invoked": string(invoked.Payload),
		"quota":   quota.Quota.Value,
		"refused": refusal(ctx, settings),
	}
	if err := json.NewEncoder(os.Stdout).Encode(seen); err != nil {
		log.Fatal(err)
	}
}
