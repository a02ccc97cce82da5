// What is installed and what was made here: bases and what was trained upon them.
import { Button, SegmentedControl, Stack, TextInput } from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { IconBox, IconCloudDownload, IconPlus, IconSearch } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { modelPages } from "../../api/models";
import { isTuned } from "../../lib/models";
import { type ChangeAddress, useAddress } from "../../ui/address";
import { ChangeButton } from "../../ui/Changing";
import { MorePages } from "../../ui/MorePages";
import { PageHead } from "../../ui/PageHead";
import { Bones, Empty, Failed } from "../../ui/states";
import { FirstModel } from "./FirstModel";
import { InstallDialog } from "./InstallDialog";
import { ModelCard } from "./ModelCard";
import classes from "./ModelsPage.module.css";
import { RunningInstalls } from "./RunningInstalls";

const ORIGINS = ["all", "base", "tuned"] as const;
type Origin = (typeof ORIGINS)[number];

export default function ModelsPage() {
  const { t } = useTranslation("models");
  const [installing, dialog] = useDisclosure();
  const [address, change] = useAddress();
  const search = address.get("search") ?? "";
  const origin = ORIGINS.find((name) => name === address.get("origin")) ?? "all";
  return (
    <>
      <PageHead title={t("title")} text={t("text")}>
        <Button component={Link} to="/hub" variant="default" leftSection={<IconCloudDownload size={17} aria-hidden />}>
          {t("toHub")}
        </Button>
        <ChangeButton onClick={dialog.open} leftSection={<IconPlus size={17} aria-hidden />}>
          {t("install.open")}
        </ChangeButton>
      </PageHead>
      <Stack gap="lg">
        <RunningInstalls />
        <Filters search={search} origin={origin} change={change} />
        <Installed search={search} origin={origin} />
      </Stack>
      <InstallDialog opened={installing} onClose={dialog.close} />
    </>
  );
}

function Installed({ search, origin }: { search: string; origin: Origin }) {
  const found = useInfiniteQuery(modelPages(search));
  const { data, error, isPending, refetch, hasNextPage } = found;
  if (isPending) return <Bones lines={3} height={130} />;
  if (error !== null && data === undefined) return <Failed error={error} again={() => void refetch()} />;
  const models = data?.pages.flatMap((page) => page.items) ?? [];
  const shown = models.filter(({ latest }) => origin === "all" || isTuned(latest) === (origin === "tuned"));
  if (shown.length === 0 && !hasNextPage) return <NoModels any={models.length > 0 || search !== ""} />;
  return (
    <Stack>
      <ul className={`k-list ${classes.list}`}>
        {shown.map((model) => (
          <li key={model.id}>
            <ModelCard model={model} />
          </li>
        ))}
      </ul>
      <MorePages of={found} />
    </Stack>
  );
}

function NoModels({ any }: { any: boolean }) {
  const { t } = useTranslation("models");
  if (any)
    return <Empty title={t("noMatch.title")} text={t("noMatch.text")} icon={<IconSearch size={44} stroke={1.2} />} />;
  return (
    <Empty title={t("empty.title")} text={t("empty.text")} icon={<IconBox size={52} stroke={1.2} />}>
      <FirstModel />
      <Button component={Link} to="/hub" variant="default">
        {t("toHub")}
      </Button>
    </Empty>
  );
}

interface FiltersProps {
  search: string;
  origin: Origin;
  change: ChangeAddress;
}

function Filters({ search, origin, change }: FiltersProps) {
  const { t } = useTranslation("models");
  const [text, setText] = useState(search);
  const [wanted] = useDebouncedValue(text, 300);
  useEffect(() => change({ search: wanted.trim() }), [wanted, change]);
  return (
    <search className={classes.filters}>
      <SegmentedControl
        aria-label={t("filter.origin")}
        data={ORIGINS.map((value) => ({ value, label: t(`filter.${value}`) }))}
        value={origin}
        onChange={(value) => change({ origin: value === "all" ? null : value })}
      />
      <TextInput
        aria-label={t("filter.name")}
        placeholder={t("filter.name")}
        leftSection={<IconSearch size={16} aria-hidden />}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
    </search>
  );
}
