"""Networks and the classifiers built from them: grey values in, logits out."""
