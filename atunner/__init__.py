"""ATunner: agents propose, a judge decides, and you get code that is verified and measured."""
