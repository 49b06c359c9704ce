"""The wire itself: messages, pictures, who may connect, what both ends agree on, whose clock says what."""
