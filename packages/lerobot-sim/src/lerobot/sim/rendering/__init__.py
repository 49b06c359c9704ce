"""Pictures of the scene: by OpenGL where it can be loaded, else by a painter or a ray caster that need nothing."""

from lerobot.sim.rendering.pictures import Pictures, Renderer, available, make_renderer

__all__ = ["Pictures", "Renderer", "available", "make_renderer"]
