"""Networks: gateways, endpoints, balancers, addresses, names."""

from __future__ import annotations

from decimal import Decimal

from costs.charges import Basis, Range
from costs.rules.base import HOURS, MILLION, UNKNOWN, Pricing, by_traffic, free, hourly, row, unpriced
from costs.rules.compute import SUBNET

ZONES = 1, 6  # of a region
BALANCERS = {  # type → the price of an hour, and of its capacity units
    "application": ("application-load-balancer", "application-lcu"),
    "network": ("network-load-balancer", "network-lcu"),
    "gateway": ("gateway-load-balancer", "gateway-lcu"),
}


def zones(p: Pricing, path: str) -> Range:
    """How many zones, one for each of its subnets."""
    value = p.get(path)
    if isinstance(value, list) and value:
        return Range.of(len(value))
    if found := p.referred(path, SUBNET):
        return Range.of(len(found))
    if value is UNKNOWN:
        p.note(f"its zones are unknown: {ZONES[0]} to {ZONES[1]}")
        return Range.of(*ZONES)
    return Range.of(1)


def eip(p: Pricing) -> None:
    """An elastic address: billed the same whether it is attached or idle."""
    p.add("public IPv4 address", HOURS, "vpc", "public-ipv4")
    if not any(p.get(path) is not None for path in ("instance", "networkInterface")):
        p.note("public IPv4 address; billed attached or idle")


def nat(p: Pricing) -> None:
    """A NAT gateway; its address is a resource of its own."""
    p.add("NAT gateway", HOURS, "vpc", "nat-gateway")
    p.traffic("data through it", "nat", "data_gb", "vpc", "nat-gateway-data")


def endpoint(p: Pricing) -> None:
    """A VPC endpoint: a gateway is free, an interface is billed for each zone."""
    kind = p.get("vpcEndpointType", "Gateway")
    if kind == "Gateway":
        p.free("gateway endpoints are free")
        return
    count = zones(p, "subnetIds")
    if kind is UNKNOWN:
        p.note("whether it is a gateway or an interface is unknown")
        count = Range(Decimal(0), count.high)
    p.add("interface endpoint", HOURS * count, "vpc", "interface-endpoint")
    p.traffic("data through it", "endpoint", "data_gb", "vpc", "interface-endpoint-data")


def balancer(p: Pricing) -> None:
    """A load balancer: its hours, its capacity units, and one public address for each zone where it faces the internet."""
    kind = p.get("loadBalancerType", "application")
    items = BALANCERS.get(kind) if isinstance(kind, str) else None
    if items is None:
        p.machines("elb", [hour for hour, _ in BALANCERS.values()], HOURS, "load balancer")
        p.note("its type is unknown")
        return
    p.add(f"{kind} load balancer", HOURS, "elb", items[0])
    p.add("capacity units", HOURS * Range.of(p.use("loadbalancer", "capacity_units")), "elb", items[1], Basis.USAGE)
    inside = p.flag("internal")
    if inside or kind == "gateway":
        return
    mapped = p.items("subnetMappings")
    if any(p.get("allocationId", None, each) is not None for each in mapped):
        return  # elastic addresses, which are resources of their own
    count = Range.of(len(mapped)) if mapped else zones(p, "subnets")
    p.add(
        "public IPv4 addresses",
        HOURS * (Range(Decimal(0), count.high) if inside is None else count),
        "vpc",
        "public-ipv4",
    )


def classic(p: Pricing) -> None:
    """A load balancer of the old kind."""
    p.add("classic load balancer", HOURS, "elb", "classic-load-balancer")


def resolver(p: Pricing) -> None:
    """A resolver endpoint: each of its interfaces."""
    count = max(len(p.items("ipAddresses")), 2)
    p.add("resolver interfaces", HOURS * Range.of(count), "route53", "resolver-interface")


def address_range(p: Pricing) -> None:
    """A public address pool."""
    p.free("addresses of one's own are free")


PART = "a part of a network, which costs nothing of its own"
EC2 = (
    "vpc:Vpc subnet:Subnet routeTable:RouteTable route:Route routeTableAssociation:RouteTableAssociation "
    "mainRouteTableAssociation:MainRouteTableAssociation internetGateway:InternetGateway "
    "internetGatewayAttachment:InternetGatewayAttachment egressOnlyInternetGateway:EgressOnlyInternetGateway "
    "securityGroup:SecurityGroup securityGroupRule:SecurityGroupRule securityGroupAssociation:SecurityGroupAssociation "
    "defaultSecurityGroup:DefaultSecurityGroup defaultVpc:DefaultVpc defaultSubnet:DefaultSubnet "
    "defaultRouteTable:DefaultRouteTable defaultNetworkAcl:DefaultNetworkAcl networkAcl:NetworkAcl "
    "networkAclRule:NetworkAclRule networkAclAssociation:NetworkAclAssociation networkInterface:NetworkInterface "
    "networkInterfaceAttachment:NetworkInterfaceAttachment networkInterfacePermission:NetworkInterfacePermission "
    "networkInterfaceSecurityGroupAttachment:NetworkInterfaceSecurityGroupAttachment eipAssociation:EipAssociation "
    "eipDomainName:EipDomainName vpcDhcpOptions:VpcDhcpOptions vpcDhcpOptionsAssociation:VpcDhcpOptionsAssociation "
    "defaultVpcDhcpOptions:DefaultVpcDhcpOptions vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation "
    "vpcIpv6CidrBlockAssociation:VpcIpv6CidrBlockAssociation subnetCidrReservation:SubnetCidrReservation "
    "vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation vpcEndpointPolicy:VpcEndpointPolicy "
    "vpcEndpointSubnetAssociation:VpcEndpointSubnetAssociation vpcEndpointService:VpcEndpointService "
    "vpcEndpointServiceAllowedPrinciple:VpcEndpointServiceAllowedPrinciple "
    "vpcEndpointConnectionAccepter:VpcEndpointConnectionAccepter vpcEndpointPrivateDns:VpcEndpointPrivateDns "
    "vpcEndpointConnectionNotification:VpcEndpointConnectionNotification "
    "securityGroupVpcAssociation:SecurityGroupVpcAssociation vpcPeeringConnection:VpcPeeringConnection "
    "vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter peeringConnectionOptions:PeeringConnectionOptions "
    "managedPrefixList:ManagedPrefixList managedPrefixListEntry:ManagedPrefixListEntry customerGateway:CustomerGateway "
    "vpnGateway:VpnGateway vpnGatewayAttachment:VpnGatewayAttachment vpnConnectionRoute:VpnConnectionRoute "
    "vpnGatewayRoutePropagation:VpnGatewayRoutePropagation placementGroup:PlacementGroup "
    "vpcBlockPublicAccessOptions:VpcBlockPublicAccessOptions vpcBlockPublicAccessExclusion:VpcBlockPublicAccessExclusion"
).split()
LB = (
    "listener:Listener listenerCertificate:ListenerCertificate listenerRule:ListenerRule targetGroup:TargetGroup "
    "targetGroupAttachment:TargetGroupAttachment trustStore:TrustStore trustStoreRevocation:TrustStoreRevocation"
).split()
VPC = (
    "securityGroupEgressRule:SecurityGroupEgressRule securityGroupIngressRule:SecurityGroupIngressRule "
    "securityGroupVpcAssociation:SecurityGroupVpcAssociation securityGroupRulesExclusive:SecurityGroupRulesExclusive "
    "endpointServicePrivateDnsVerification:EndpointServicePrivateDnsVerification routeServerAssociation:"
    "RouteServerVpcAssociation networkPerformanceMetricSubscription:NetworkPerformanceMetricSubscription"
).split()
NAMES = (
    "record:Record delegationSet:DelegationSet zoneAssociation:ZoneAssociation recordsExclusive:RecordsExclusive "
    "vpcAssociationAuthorization:VpcAssociationAuthorization queryLog:QueryLog resolverRule:ResolverRule "
    "resolverRuleAssociation:ResolverRuleAssociation hostedZoneDnsSec:HostedZoneDnsSec keySigningKey:KeySigningKey "
    "cidrCollection:CidrCollection cidrLocation:CidrLocation"
).split()
EDGE = (
    "cachePolicy:CachePolicy continuousDeploymentPolicy:ContinuousDeploymentPolicy "
    "fieldLevelEncryptionConfig:FieldLevelEncryptionConfig fieldLevelEncryptionProfile:FieldLevelEncryptionProfile "
    "keyGroup:KeyGroup originAccessControl:OriginAccessControl originAccessIdentity:OriginAccessIdentity "
    "originRequestPolicy:OriginRequestPolicy publicKey:PublicKey responseHeadersPolicy:ResponseHeadersPolicy"
).split()
EDGE_REQUESTS = ("requests", "cloudfront", "requests", "cloudfront", "requests", MILLION)
EDGE_DATA = ("data out", "cloudfront", "out_gb", "cloudfront", "data-out", 1)
GATEWAY = "ec2transitgateway"
TABLE = {
    "aws:ec2/eip:Eip": eip,
    "aws:ec2/natGateway:NatGateway": nat,
    "aws:ec2/vpcEndpoint:VpcEndpoint": endpoint,
    "aws:ec2/vpnConnection:VpnConnection": hourly("VPN connection", "vpc", "vpn-connection"),
    "aws:ec2/carrierGateway:CarrierGateway": free(PART),
    "aws:ec2/flowLog:FlowLog": free("what it writes is billed where it goes"),
    "aws:ec2/trafficMirrorSession:TrafficMirrorSession": hourly("mirror session", "vpc", "traffic-mirror-session"),
    "aws:ec2/vpcIpam:VpcIpam": unpriced("billed by the addresses that it watches; its free tier is free"),
    "aws:ec2/publicIpv4Pool:PublicIpv4Pool": address_range,
    **{f"aws:ec2/{name}": free(PART) for name in EC2},
    **{f"aws:vpc/{name}": free(PART) for name in VPC},
    "aws:ec2clientvpn/networkAssociation:NetworkAssociation": hourly(
        "VPN association", "vpc", "client-vpn-association"
    ),
    "aws:ec2clientvpn/endpoint:Endpoint": free("its associations and connections are billed"),
    f"aws:{GATEWAY}/transitGateway:TransitGateway": free("its attachments are billed"),
    f"aws:{GATEWAY}/vpcAttachment:VpcAttachment": hourly("gateway attachment", "vpc", "transit-gateway-attachment"),
    f"aws:{GATEWAY}/peeringAttachment:PeeringAttachment": hourly("attachment", "vpc", "transit-gateway-attachment"),
    f"aws:{GATEWAY}/connect:Connect": hourly("gateway attachment", "vpc", "transit-gateway-attachment"),
    f"aws:{GATEWAY}/route:Route": free(PART),
    f"aws:{GATEWAY}/routeTable:RouteTable": free(PART),
    f"aws:{GATEWAY}/routeTableAssociation:RouteTableAssociation": free(PART),
    f"aws:{GATEWAY}/routeTablePropagation:RouteTablePropagation": free(PART),
    f"aws:{GATEWAY}/vpcAttachmentAccepter:VpcAttachmentAccepter": free(PART),
    f"aws:{GATEWAY}/peeringAttachmentAccepter:PeeringAttachmentAccepter": free(PART),
    **{f"aws:{service}/loadBalancer:LoadBalancer": balancer for service in ("lb", "alb")},
    **{f"aws:{service}/{name}": free("its load balancer is billed") for name in LB for service in ("lb", "alb")},
    "aws:elb/loadBalancer:LoadBalancer": classic,
    "aws:elb/attachment:Attachment": free("its load balancer is billed"),
    "aws:elb/listenerPolicy:ListenerPolicy": free("its load balancer is billed"),
    "aws:elb/loadBalancerPolicy:LoadBalancerPolicy": free("its load balancer is billed"),
    "aws:elb/sslNegotiationPolicy:SslNegotiationPolicy": free("its load balancer is billed"),
    "aws:elb/appCookieStickinessPolicy:AppCookieStickinessPolicy": free("its load balancer is billed"),
    "aws:route53/zone:Zone": row("hosted zone", "route53", "hosted-zone", reason="hosted zone; queries come on top"),
    "aws:route53/healthCheck:HealthCheck": row("health check", "route53", "health-check"),
    "aws:route53/resolverEndpoint:ResolverEndpoint": resolver,
    **{f"aws:route53/{name}": free("its zone is billed") for name in NAMES},
    "aws:cloudfront/distribution:Distribution": by_traffic(EDGE_REQUESTS, EDGE_DATA),
    "aws:cloudfront/function:Function": free("billed by requests of its distribution"),
    **{f"aws:cloudfront/{name}": free("a setting of a distribution") for name in EDGE},
    "aws:globalaccelerator/accelerator:Accelerator": hourly("accelerator", "globalaccelerator", "accelerator"),
    "aws:globalaccelerator/listener:Listener": free("its accelerator is billed"),
    "aws:globalaccelerator/endpointGroup:EndpointGroup": free("its accelerator is billed"),
    "aws:directconnect/connection:Connection": unpriced("billed by its port's speed and place"),
    "aws:networkfirewall/firewall:Firewall": unpriced(
        "billed for each zone and GB, which the price book does not have"
    ),
    "aws:networkfirewall/firewallPolicy:FirewallPolicy": free("its firewall is billed"),
    "aws:networkfirewall/ruleGroup:RuleGroup": free("its firewall is billed"),
    "aws:acm/certificate:Certificate": lambda p: (
        p.unpriced("certificates of a private authority are billed once each")
        if p.get("certificateAuthorityArn") is not None
        else p.free("public certificates are free")
    ),
    "aws:acm/certificateValidation:CertificateValidation": free("a step, not a thing"),
    "aws:acmpca/certificateAuthority:CertificateAuthority": row("private authority", "acmpca", "authority"),
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": row("hosted zone", "route53", "hosted-zone"),
    "aws:servicediscovery/publicDnsNamespace:PublicDnsNamespace": row("hosted zone", "route53", "hosted-zone"),
    "aws:servicediscovery/httpNamespace:HttpNamespace": free(PART),
    "aws:servicediscovery/service:Service": free("lookups are billed by the million"),
}
