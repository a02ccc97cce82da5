import { NumberInput, type NumberInputProps, Stack, Text, Textarea, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Sampling } from "../../lib/conversation";
import classes from "./PlaygroundPage.module.css";
import type { ChatSettings } from "./useSampling";

interface Props {
  /** On narrow screens it is shown when asked for. */
  opened: boolean;
  settings: ChatSettings;
  change: (settings: ChatSettings) => void;
}

const LIMITS: Record<keyof Sampling, NumberInputProps> = {
  maxTokens: { min: 1, max: 8192, allowDecimal: false },
  temperature: { min: 0, max: 2, step: 0.1 },
  topP: { min: 0.05, max: 1, step: 0.05 },
  seed: { allowDecimal: false },
};

/** The system prompt, and how answers are sampled. What is empty is left to the model. */
export function SettingsPanel({ opened, settings, change }: Props) {
  const { t } = useTranslation("playground");
  const { system, sampling } = settings;
  const set = (name: keyof Sampling, value: number | string) => {
    const given = typeof value === "number" ? value : null;
    if (name === "maxTokens" && given === null) return;
    change({ ...settings, sampling: { ...sampling, [name]: given } });
  };
  return (
    <aside className={`k-card ${classes.settings}`} data-opened={opened || undefined} aria-label={t("settings.title")}>
      <Title order={2} size="h5" mb="sm">
        {t("settings.title")}
      </Title>
      <Stack gap="sm">
        <Textarea
          label={t("settings.system")}
          placeholder={t("settings.systemPlaceholder")}
          autosize
          minRows={3}
          maxRows={8}
          dir={system === "" ? undefined : "auto"}
          value={system}
          onChange={(event) => change({ ...settings, system: event.currentTarget.value })}
        />
        {(Object.keys(LIMITS) as (keyof Sampling)[]).map((name) => (
          <NumberInput
            key={name}
            label={t(`settings.${name}`)}
            placeholder={t(`settings.${name === "seed" ? "random" : "ofModel"}`)}
            value={sampling[name] ?? ""}
            onChange={(value) => set(name, value)}
            {...LIMITS[name]}
          />
        ))}
        <Text size="sm" c="dimmed">
          {t("settings.note")}
        </Text>
      </Stack>
    </aside>
  );
}
