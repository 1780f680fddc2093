"""Worker processes: started, watched, replaced, and brought to one generation over their channels."""
