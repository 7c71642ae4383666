"""What is trained away from the platform's processes: the packages of the extra `train` are imported here and nowhere else."""
