// What every page stands in: look, direction, texts, data, and who is logged in.
import { DirectionProvider, MantineProvider, useDirection as useMantineDirection } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { Suspense, useEffect } from "react";
import { BrowserRouter, Route, Routes } from "react-router";
import { DIRECTION, i18next } from "../i18n";
import { useSettings } from "../lib/settings";
import { Waiting } from "../ui/states";
import { Boundary } from "./Boundary";
import { Gate } from "./Gate";
import { NotFoundPage } from "./NotFoundPage";
import { queryClient } from "./queries";
import { PAGES } from "./routes";
import { Shell } from "./Shell";
import { theme } from "./theme";

export function App() {
  return (
    <DirectionProvider initialDirection="rtl" detectDirection={false}>
      <MantineProvider theme={theme} defaultColorScheme="auto">
        <LanguageOfPage />
        <Notifications position="bottom-center" />
        <QueryClientProvider client={queryClient}>
          <Boundary>
            <BrowserRouter basename="/studio">
              <Gate>
                <Shell>
                  <Pages />
                </Shell>
              </Gate>
            </BrowserRouter>
          </Boundary>
        </QueryClientProvider>
      </MantineProvider>
    </DirectionProvider>
  );
}

function Pages() {
  return (
    <Suspense fallback={<Waiting />}>
      <Routes>
        {PAGES.map(({ path, page: Page }) => (
          <Route key={path} path={path} element={<Page />} />
        ))}
        <Route path="*" element={<NotFoundPage />} />
      </Routes>
    </Suspense>
  );
}

/** The document and Mantine follow the chosen language. */
function LanguageOfPage() {
  const { language } = useSettings();
  const { setDirection } = useMantineDirection();
  useEffect(() => {
    document.documentElement.lang = language;
    setDirection(DIRECTION[language]);
    void i18next.changeLanguage(language);
  }, [language, setDirection]);
  return null;
}
