// Rows divided into train, validation and test: by content and a seed, so that a row stays where it was.
import { Button, Group, NumberInput, Stack, Text } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { DatasetVersion } from "../../api/client";
import { startSplit } from "../../api/datasets";
import { useFormat } from "../../lib/format";
import { SPLITS } from "../../lib/formats";
import { Dialog } from "../../ui/Dialog";
import { ShareBar } from "../../ui/ShareBar";
import { Failed } from "../../ui/states";
import { ChangeProgress } from "./ChangesUnderWay";
import classes from "./DatasetPage.module.css";
import { useChange, useNewVersion } from "./useChange";

interface Props {
  version: DatasetVersion;
  opened: boolean;
  onClose: () => void;
}

export function SplitDialog({ version, opened, onClose }: Props) {
  const { t } = useTranslation("dataset");
  return (
    <Dialog opened={opened} onClose={onClose} title={t("split.title")} size="lg">
      <SplitForm version={version} onClose={onClose} />
    </Dialog>
  );
}

function SplitForm({ version, onClose }: Omit<Props, "opened">) {
  const { t } = useTranslation("dataset");
  const format = useFormat();
  const [test, setTest] = useState(10);
  const [validation, setValidation] = useState(5);
  const [seed, setSeed] = useState(0);
  const { start, change, busy, error } = useChange();
  useNewVersion(change, onClose);
  const train = 100 - test - validation;
  const valid = test > 0 && test <= 90 && validation >= 0 && train >= 5;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const hash = { test: test / 100, validation: validation / 100, seed };
    if (valid) start(() => startSplit(version.dataset, { version: version.version, hash }));
  };
  const share = (part: string) => ({ train, validation, test })[part] ?? 0;
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm" c="dimmed">
          {t("split.text")}
        </Text>
        <div className={classes.tools}>
          <Share label={t("split.test")} value={test} min={1} onChange={setTest} />
          <Share label={t("split.validation")} value={validation} min={0} onChange={setValidation} />
          <NumberInput
            w={150}
            label={t("split.seed")}
            min={0}
            allowDecimal={false}
            value={seed}
            onChange={(value) => setSeed(Number(value) || 0)}
          />
        </div>
        {valid ? (
          <>
            <ShareBar
              shares={{ train, validation, test }}
              nameOf={(name) => t(`splits.${name}`)}
              label={t("split.title")}
              order={SPLITS}
            />
            <Text size="sm" className="k-numbers">
              {SPLITS.filter((part) => share(part) > 0)
                .map((part) =>
                  t("split.about", {
                    part: t(`splits.${part}`),
                    rows: format.number(Math.round((version.stats.rows * share(part)) / 100)),
                  }),
                )
                .join(" · ")}
            </Text>
          </>
        ) : (
          <Text size="sm" c="var(--k-bad)" role="alert">
            {t("split.tooMuch")}
          </Text>
        )}
        {error !== null && <Failed error={error} />}
        {busy && change && <ChangeProgress change={change} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("common:close")}
          </Button>
          <Button type="submit" disabled={!valid} loading={busy}>
            {t("split.start")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface ShareProps {
  label: string;
  value: number;
  min: number;
  onChange: (value: number) => void;
}

function Share({ label, value, min, onChange }: ShareProps) {
  return (
    <NumberInput
      w={150}
      label={label}
      min={min}
      max={90}
      step={5}
      decimalScale={1}
      suffix="%"
      value={value}
      onChange={(wanted) => onChange(Number(wanted) || 0)}
    />
  );
}
