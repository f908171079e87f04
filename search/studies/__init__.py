"""What a study is: its plan, its initial trials, its launches, its Pareto front."""
