"""The flow in a page: kernels, the model in JavaScript, and the weights that go there."""
