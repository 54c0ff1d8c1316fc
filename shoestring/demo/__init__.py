"""`shoestring demo`: the product's main job, guided, on the local cloud, with every claim measured."""
