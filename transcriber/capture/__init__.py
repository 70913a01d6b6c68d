"""From the microphone to a session folder, in a process of its own.

    microphone → callback → queue → writer → recordings/<session>/
                                        ↘ meter → live feed → supervisor, terminal, screen

`recorder` is that process: it owns the folder and needs nobody. `supervisor` starts it, watches its feed and starts
it anew when it died or hangs. Everything else reads the feed and the journal, and can die at any time.
"""
