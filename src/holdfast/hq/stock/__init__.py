"""Stock at head office: levels, figures that were counted or set, transfers, and the proof that all agree."""
