"""What is wanted (database) against what is (folders, processes): one loop, led by one server at a time."""
