"""Backup and restore: database and objects, into any place that rclone can write to, encrypted."""
