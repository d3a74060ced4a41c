"""Log lines of any vendor: what of a line may be shown, which lines say the same, and when "2h" is."""
