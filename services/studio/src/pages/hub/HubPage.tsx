// Models of another hub: searched, looked at before anything is downloaded, installed by a job that can be paused.
import { TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch, IconWorldSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { hubSearchQuery, isHubAway } from "../../api/hub";
import { type ChangeAddress, useAddress } from "../../ui/address";
import { PageHead } from "../../ui/PageHead";
import { Bones, Empty, Failed } from "../../ui/states";
import { RunningInstalls } from "../models/RunningInstalls";
import { HubAway } from "./HubAway";
import { HubModelDialog } from "./HubModelDialog";
import classes from "./HubPage.module.css";
import { Results } from "./Results";

export default function HubPage() {
  const { t } = useTranslation("hub");
  const [address, change] = useAddress();
  const q = address.get("q") ?? "";
  return (
    <>
      <PageHead title={t("title")} text={t("text")} />
      <div className={classes.page}>
        <RunningInstalls />
        <SearchBox q={q} change={change} />
        <Found q={q} onChoose={(model) => change({ model }, { replace: false })} />
      </div>
      <HubModelDialog repo={address.get("model")} onClose={() => change({ model: null }, { replace: false })} />
    </>
  );
}

function SearchBox({ q, change }: { q: string; change: ChangeAddress }) {
  const { t } = useTranslation("hub");
  const [text, setText] = useState(q);
  const [wanted] = useDebouncedValue(text, 500);
  useEffect(() => change({ q: wanted.trim() }), [wanted, change]);
  return (
    <search>
      <TextInput
        size="md"
        aria-label={t("search")}
        placeholder={t("search")}
        leftSection={<IconSearch size={18} aria-hidden />}
        maw={640}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
    </search>
  );
}

function Found({ q, onChoose }: { q: string; onChoose: (id: string) => void }) {
  const { t } = useTranslation("hub");
  const { data, error, isFetching, refetch } = useQuery({ ...hubSearchQuery(q), enabled: q !== "" });
  if (q === "")
    return <Empty title={t("begin.title")} text={t("begin.text")} icon={<IconWorldSearch size={52} stroke={1.2} />} />;
  if (isFetching && data === undefined) return <Bones lines={4} height={84} />;
  if (isHubAway(error)) return <HubAway error={error} again={() => void refetch()} />;
  if (error !== null) return <Failed error={error} again={() => void refetch()} />;
  if (data === undefined) return null;
  if (data.items.length === 0)
    return <Empty title={t("none.title", { q })} text={t("none.text")} icon={<IconSearch size={44} stroke={1.2} />} />;
  return <Results found={data} onChoose={onChoose} />;
}
