// Names the explorers' elements. Two scripts of a page may bring them both.

import { AttributesExplorer } from "./attributes.js";
import { InterpolationExplorer } from "./interpolation.js";
import { StudioExplorer } from "./studio.js";
import { TemperatureExplorer } from "./temperature.js";

const EXPLORERS = {
  "glow-attributes": AttributesExplorer,
  "glow-interpolation": InterpolationExplorer,
  "glow-studio": StudioExplorer,
  "glow-temperature": TemperatureExplorer,
};

for (const [name, Kind] of Object.entries(EXPLORERS)) if (!customElements.get(name)) customElements.define(name, Kind);
