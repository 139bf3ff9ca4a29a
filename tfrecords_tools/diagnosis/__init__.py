"""What `tfrecords_tools.doctor` looks at, one concern a module."""
