// What a person chooses for this browser, and where the platform's doors are.
import { Card, SegmentedControl, Stack, Table, Text, Title, useMantineColorScheme } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { statusQuery } from "../../api/platform";
import { useFormat } from "../../lib/format";
import { type Calendar, changeSettings, type Digits, useSettings } from "../../lib/settings";
import { CommandBox } from "../../ui/CommandBox";
import { LanguageSwitch } from "../../ui/LanguageSwitch";
import { PageHead } from "../../ui/PageHead";
import { Failed } from "../../ui/states";

export default function SettingsPage() {
  const { t } = useTranslation("settings");
  return (
    <>
      <PageHead title={t("title")} text={t("text")} />
      <Stack gap="lg">
        <Looks />
        <Endpoints />
      </Stack>
    </>
  );
}

function Looks() {
  const { t } = useTranslation("settings");
  const { digits, calendar } = useSettings();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const format = useFormat();
  const choices = (names: string[], group: string) => names.map((value) => ({ value, label: t(`${group}.${value}`) }));
  return (
    <Card className="k-card" p="lg">
      <Stack>
        <Row label={t("common:language")}>
          <LanguageSwitch />
        </Row>
        <Row label={t("theme.label")}>
          <SegmentedControl
            aria-label={t("theme.label")}
            data={choices(["auto", "light", "dark"], "theme")}
            value={colorScheme}
            onChange={(chosen) => setColorScheme(chosen as "auto" | "light" | "dark")}
          />
        </Row>
        <Row label={t("digits.label")}>
          <SegmentedControl
            aria-label={t("digits.label")}
            data={choices(["auto", "persian", "latin"], "digits")}
            value={digits}
            onChange={(chosen) => changeSettings({ digits: chosen as Digits })}
          />
        </Row>
        <Row label={t("calendar.label")}>
          <SegmentedControl
            aria-label={t("calendar.label")}
            data={choices(["auto", "persian", "gregorian"], "calendar")}
            value={calendar}
            onChange={(chosen) => changeSettings({ calendar: chosen as Calendar })}
          />
        </Row>
        <Text size="sm" c="dimmed">
          {t("looksLike", { number: format.number(1234.5), date: format.dateTime(new Date()) })}
        </Text>
      </Stack>
    </Card>
  );
}

function Row({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div
      style={{
        display: "flex",
        flexWrap: "wrap",
        gap: "0.75rem",
        alignItems: "center",
        justifyContent: "space-between",
      }}
    >
      <Text>{label}</Text>
      {children}
    </div>
  );
}

function Endpoints() {
  const { t } = useTranslation("settings");
  const { data, error } = useQuery(statusQuery);
  if (error !== null && data === undefined) return <Failed error={error} />;
  if (data === undefined) return null;
  const { api: own = "", openai = "", hub = "" } = data.endpoints;
  const base = own.replace(/\/api$/, "");
  return (
    <Card className="k-card" p="lg">
      <Title order={2} size="h4" mb="sm">
        {t("endpoints.title")}
      </Title>
      <Stack>
        <CommandBox
          tabs={[
            ["CLI", `export KARGAH_URL=${base}\nkargah status`],
            ["Python", `from kargah import Client\n\nwith Client("${base}") as client:\n    print(client.jobs.list())`],
            ["OpenAI", `from openai import OpenAI\n\nclient = OpenAI(base_url="${openai}", api_key="-")`],
            ["Hugging Face", `export HF_ENDPOINT=${hub}`],
          ]}
        />
        <Table layout="auto">
          <Table.Tbody>
            {Object.entries(data.services).map(([name, state]) => (
              <Table.Tr key={name}>
                <Table.Td>
                  <bdi>{name}</bdi>
                </Table.Td>
                <Table.Td c={state === "ready" ? "var(--k-good)" : "var(--k-bad)"}>
                  {t(`states.${state}`, state)}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
        <Text size="sm" c="dimmed">
          {t("version")} <bdi>{data.version}</bdi>
        </Text>
      </Stack>
    </Card>
  );
}
