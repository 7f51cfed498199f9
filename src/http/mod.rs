//! HTTP to the servers of the stack.
