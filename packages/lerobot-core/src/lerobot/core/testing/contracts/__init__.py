"""The contract suites: what a plugin of each kind must do, as tests it inherits.

```python
class TestMyArm(RobotContract):
    @pytest.fixture
    def config(self):
        return MyArmConfig(port="loop://")

    def in_safe_state(self, robot):
        return not robot.bus.torque_enabled
```

Optional abilities are declared in `capabilities`; a contract detects them and fails when the two differ, so a skipped
test always means "declared absent". A standard test that cannot pass is overridden with
`@pytest.mark.xfail(reason=...)`; overriding or deleting one silently fails the suite.
"""
