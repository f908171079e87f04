"""Synthetic foils: etched cones as height maps, lit and photographed."""
