import "@fontsource-variable/vazirmatn/index.css";
import "@fontsource-variable/jetbrains-mono/index.css";
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./styles/tokens.css";
import "./styles/base.css";
import { createRoot } from "react-dom/client";
import { watchOtherTabs } from "./api/session";
import { App } from "./app/App";
import { loadAllTexts, startTexts } from "./i18n";
import { followOtherTabs } from "./lib/settings";

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no root element");
watchOtherTabs();
followOtherTabs();
startTexts().then(() => {
  createRoot(root).render(<App />);
  return loadAllTexts();
});
