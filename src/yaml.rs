//! YAML: read with positions, write from typed values.
