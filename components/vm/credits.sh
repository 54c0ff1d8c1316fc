# At each start of the machine: processor time above the baseline is bought until MLflow answers, 20 minutes at most.
# Without it, a new machine has nothing but its baseline: T3 and T4g get no credits to start with.
credits() {
    modified=$(aws ec2 modify-instance-credit-specification --query 'length(SuccessfulInstanceCreditSpecifications)' \
        --instance-credit-specifications "InstanceId=$(cat /var/lib/cloud/data/instance-id),CpuCredits=$1")
    [ "$modified" = 1 ]
}
credits unlimited
timeout 1200 sh -c 'until curl --silent --fail --output /dev/null "$0"; do sleep 5; done' \
    "http://127.0.0.1:$MLFLOW_HOST_PORT/health"
until credits standard; do sleep 60; done
