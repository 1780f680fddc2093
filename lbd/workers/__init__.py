"""Worker processes: started, watched, replaced, brought to a generation over their channels; imports process,
discovery, proxy and below."""
