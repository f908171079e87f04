"""The colours of all figures and pictures, told apart by colour-blind readers. Imports nothing."""

# Okabe and Ito (2008), without the black and the yellow that one of the two backgrounds swallows.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
GREY = "#888888"
