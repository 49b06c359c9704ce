"""What vision-language-action models share.

`config` holds their settings and is light, `images` brings what cameras see to one form, `flow` is the base of those
that act by flow matching.
"""
