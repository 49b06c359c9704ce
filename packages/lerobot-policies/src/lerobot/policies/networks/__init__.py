"""Networks that several policies have: `resnet` for pictures, `keypoints` from pictures to points."""
