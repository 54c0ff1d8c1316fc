"""Every type of component that the programs may create; a contract test fails for any other, and for an unused one.

Of AWS they may create what `localcloud/aws/` has a row of calls for.
"""

COMPONENTS = frozenset(
    {
        "shoestring:costs:CostGuard",
        "shoestring:costs:CostReport",
        "shoestring:network:Network",
        "shoestring:registry:ModelPointer",
        "shoestring:serving:LambdaInference",
        "shoestring:state:StateStore",
        "shoestring:tracking:MlflowServer",
        "shoestring:training:SpotTrainingJob",
    }
)
