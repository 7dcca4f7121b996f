// Names the explorers' elements. Two scripts of a page may bring them both.

import { TemperatureExplorer } from "./temperature.js";

const EXPLORERS = { "glow-temperature": TemperatureExplorer };

for (const [name, Kind] of Object.entries(EXPLORERS)) if (!customElements.get(name)) customElements.define(name, Kind);
