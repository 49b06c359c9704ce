"""Datasets read episode by episode, from a folder or from the Hub, in bounded memory and bounded disk."""
