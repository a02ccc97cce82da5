// Names for versions that can be moved: `model@production` is whichever version it points to.
import { Group, Select, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { ModelVersion } from "../../api/client";
import { type Alias, aliasesQuery, useDropAlias, useMoveAlias } from "../../api/models";
import { useFormat } from "../../lib/format";
import { ChangeButton, useWhyNot } from "../../ui/Changing";
import { Bones, Failed } from "../../ui/states";
import classes from "./ModelPage.module.css";

interface Props {
  version: ModelVersion;
  versions: ModelVersion[];
}

export function Aliases({ version, versions }: Props) {
  const { t } = useTranslation("models");
  const { data, error, refetch } = useQuery(aliasesQuery(version.model));
  if (error !== null && data === undefined) return <Failed error={error} again={() => void refetch()} />;
  if (data === undefined) return <Bones lines={2} />;
  return (
    <div className="k-card">
      {data.items.length === 0 && (
        <Text className={classes.alias} size="sm" c="dimmed">
          {t("aliases.none")}
        </Text>
      )}
      {data.items.map((alias) => (
        <One key={alias.alias} alias={alias} versions={versions} />
      ))}
      <NewAlias version={version} aliases={data.items} />
    </div>
  );
}

function useChoices(versions: ModelVersion[]) {
  const { t } = useTranslation("models");
  const format = useFormat();
  return (also: number) =>
    [...new Set([...versions.map(({ version }) => version), also])].map((number) => ({
      value: String(number),
      label: t("common:version.number", { number: format.number(number) }),
    }));
}

function One({ alias, versions }: { alias: Alias; versions: ModelVersion[] }) {
  const { t } = useTranslation("models");
  const format = useFormat();
  const move = useMoveAlias(alias.model);
  const drop = useDropAlias(alias.model);
  const choices = useChoices(versions);
  const whyNot = useWhyNot();
  const point = (chosen: string | null) => {
    if (chosen === null || Number(chosen) === alias.version) return;
    move.mutate({ alias: alias.alias, version: Number(chosen), expected: alias.version });
  };
  return (
    <div className={classes.alias}>
      <div>
        <Text fw={650} dir="ltr">
          {alias.model}@{alias.alias}
        </Text>
        <Text size="sm" c="dimmed" title={format.dateTime(alias.movedAt)}>
          {t("aliases.since", { when: format.ago(alias.movedAt) })}
          {alias.previous != null && <> · {t("aliases.previous", { version: format.number(alias.previous) })}</>}
        </Text>
      </div>
      <Group gap="xs">
        <Select
          size="sm"
          w={140}
          aria-label={t("aliases.target", { alias: alias.alias })}
          allowDeselect={false}
          data={choices(alias.version)}
          value={String(alias.version)}
          onChange={point}
          disabled={move.isPending || whyNot !== null}
        />
        <ChangeButton
          size="sm"
          variant="default"
          loading={drop.isPending}
          onClick={() => drop.mutate(alias.alias)}
          aria-label={t("aliases.dropThis", { alias: alias.alias })}
        >
          {t("aliases.drop")}
        </ChangeButton>
      </Group>
    </div>
  );
}

function NewAlias({ version, aliases }: { version: ModelVersion; aliases: Alias[] }) {
  const { t } = useTranslation("models");
  const format = useFormat();
  const move = useMoveAlias(version.model);
  const [name, setName] = useState("");
  const wanted = name.trim();
  const there = aliases.some(({ alias }) => alias === wanted);
  const set = () =>
    move.mutate(
      { alias: wanted, version: version.version, expected: 0 },
      {
        onSuccess: () => setName(""),
      },
    );
  return (
    <form
      className={classes.alias}
      onSubmit={(event) => {
        event.preventDefault();
        set();
      }}
    >
      <TextInput
        label={t("aliases.new")}
        placeholder="production"
        dir="ltr"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        error={there ? t("aliases.there") : undefined}
      />
      <ChangeButton type="submit" variant="default" disabled={wanted === "" || there} loading={move.isPending}>
        {t("aliases.set", { version: format.number(version.version) })}
      </ChangeButton>
    </form>
  );
}
