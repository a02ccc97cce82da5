import { SegmentedControl } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { changeSettings, type Language, useSettings } from "../lib/settings";

const LANGUAGES = [
  { value: "fa", label: "فارسی" },
  { value: "en", label: "English" },
];

export function LanguageSwitch({ size = "sm" }: { size?: string }) {
  const { t } = useTranslation();
  const { language } = useSettings();
  return (
    <SegmentedControl
      size={size}
      aria-label={t("language")}
      data={LANGUAGES}
      value={language}
      onChange={(chosen) => changeSettings({ language: chosen as Language })}
    />
  );
}
