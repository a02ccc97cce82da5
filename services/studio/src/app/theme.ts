// Kargah's look, for Mantine: the tokens behind it are in styles/tokens.css, and told in docs/studio.md.
import { createTheme, type MantineColorsTuple } from "@mantine/core";

const firouzeh: MantineColorsTuple = [
  "#e6f9f7",
  "#cdeeeb",
  "#9cdcd7",
  "#67c9c2",
  "#3db8b0",
  "#1da59d",
  "#0b8f8a",
  "#077874",
  "#05625f",
  "#024a48",
];

const zaferan: MantineColorsTuple = [
  "#fff8e1",
  "#ffefc8",
  "#ffdd94",
  "#ffcb5c",
  "#ffbb30",
  "#ffb114",
  "#f5a300",
  "#c98500",
  "#8f5e00",
  "#5c3c00",
];

/** Greys of the dark ground: what Mantine takes for texts (0) down to bodies (7). */
const dark: MantineColorsTuple = [
  "#e3eeee",
  "#c5d6d7",
  "#9db1b3",
  "#6f8587",
  "#3a4d50",
  "#2a3a3d",
  "#192729",
  "#131e20",
  "#0f181a",
  "#0c1416",
];

export const theme = createTheme({
  colors: { firouzeh, zaferan, dark },
  primaryColor: "firouzeh",
  primaryShade: 7,
  autoContrast: true,
  luminanceThreshold: 0.35,
  fontFamily: "var(--k-font)",
  fontFamilyMonospace: "var(--k-mono)",
  headings: { fontFamily: "var(--k-font)", fontWeight: "650" },
  defaultRadius: "md",
  radius: { sm: "6px", md: "10px", lg: "16px", xl: "22px" },
  cursorType: "pointer",
  respectReducedMotion: true,
});
