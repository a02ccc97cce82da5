"""What one gateway holds, beside the bare parts that it stands on, in the same run."""
