// Datasets from elsewhere: a job fetches them, and that is where it leads.
import { Button, Group, SegmentedControl, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { startImport } from "../../api/datasets";
import { isDatasetName, nameOfFile } from "../../lib/datasetNames";
import { Dialog } from "../../ui/Dialog";

const KINDS = ["hf", "url", "chatterbot"] as const;
type Kind = (typeof KINDS)[number];
const LANGUAGES = ["persian", "english", "french", "german", "spanish", "italian", "turkish", "russian", "chinese"];

interface Props {
  opened: boolean;
  onClose: () => void;
}

export function ImportDialog({ opened, onClose }: Props) {
  const { t } = useTranslation("datasets");
  return (
    <Dialog opened={opened} onClose={onClose} title={t("import.title")} size="lg">
      <ImportForm onClose={onClose} />
    </Dialog>
  );
}

function ImportForm({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("datasets");
  const navigate = useNavigate();
  const [kind, setKind] = useState<Kind>("hf");
  const [place, setPlace] = useState("");
  const [language, setLanguage] = useState("persian");
  const [typedName, setTypedName] = useState<string | null>(null);
  const source = sourceOf(kind, place.trim());
  const name = typedName ?? suggestedName(kind, place.trim(), language);
  const send = useMutation({
    mutationFn: () => startImport({ source, name, ...(kind === "chatterbot" ? { language } : {}) }),
    onSuccess: (job) => navigate(`/jobs/${job.id}`),
  });
  const valid = isDatasetName(name) && (kind === "chatterbot" || place.trim() !== "");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (valid) send.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text c="dimmed" size="sm">
          {t("import.text")}
        </Text>
        <SegmentedControl
          fullWidth
          aria-label={t("import.kind")}
          data={KINDS.map((value) => ({ value, label: t(`import.kinds.${value}`) }))}
          value={kind}
          onChange={(value) => setKind(value as Kind)}
        />
        {kind === "chatterbot" ? (
          <Select
            label={t("import.language")}
            data={LANGUAGES.map((value) => ({ value, label: t(`import.languages.${value}`) }))}
            allowDeselect={false}
            value={language}
            onChange={(value) => setLanguage(value ?? "persian")}
          />
        ) : (
          <TextInput
            key={kind}
            label={t(`import.place.${kind}`)}
            description={t(`import.help.${kind}`)}
            placeholder={kind === "hf" ? "owner/name@main:train" : "https://data.example.org/rows.jsonl.gz"}
            dir="ltr"
            required
            autoComplete="off"
            spellCheck={false}
            value={place}
            onChange={(event) => setPlace(event.currentTarget.value)}
          />
        )}
        <TextInput
          label={t("upload.name")}
          dir="ltr"
          required
          autoComplete="off"
          spellCheck={false}
          error={name !== "" && !isDatasetName(name) ? t("upload.badName") : undefined}
          value={name}
          onChange={(event) => setTypedName(event.currentTarget.value.trim())}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("common:cancel")}
          </Button>
          <Button type="submit" disabled={!valid} loading={send.isPending}>
            {t("import.start")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function sourceOf(kind: Kind, place: string): string {
  if (kind === "chatterbot") return "chatterbot";
  if (kind === "url") return place;
  return place.startsWith("hf:") ? place : `hf:${place}`;
}

/** What the last part of the address is called. */
function suggestedName(kind: Kind, place: string, language: string): string {
  if (kind === "chatterbot") return `chatterbot-${language}`;
  const [path = ""] = place
    .replace(/^hf:/, "")
    .split(/[?#@:]/)
    .filter((part) => part.includes("/"));
  return nameOfFile(path.split("/").pop() ?? "");
}
