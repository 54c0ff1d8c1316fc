"""The shapes in which AWS's types say things that rules of several groups look at; none of it judges anything."""
