// A chat with a model, or the same chat with two side by side: what training changed is seen at once.
import { Button, Group } from "@mantine/core";
import { IconAdjustments, IconEraser, IconMessages } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { talkersQuery } from "../../api/chat";
import type { Turn } from "../../lib/conversation";
import { PageHead } from "../../ui/PageHead";
import { Bones, Empty, Failed } from "../../ui/states";
import { FirstModel } from "../models/FirstModel";
import { Composer } from "./Composer";
import { ModelBar } from "./ModelBar";
import classes from "./PlaygroundPage.module.css";
import { SettingsPanel } from "./SettingsPanel";
import { TurnView } from "./TurnView";
import { useChosenModels } from "./useChosenModels";
import { useConversation } from "./useConversation";
import { useSampling } from "./useSampling";

export default function PlaygroundPage() {
  const { t } = useTranslation("playground");
  const { data: talkers, error, refetch } = useQuery(talkersQuery);
  if (error !== null && talkers === undefined) return <Failed error={error} again={() => void refetch()} />;
  return (
    <>
      {talkers === undefined && <Bones lines={3} height={90} />}
      {talkers?.length === 0 && <Nobody />}
      {talkers !== undefined && talkers.length > 0 && <Room title={t("title")} talkers={talkers} />}
    </>
  );
}

function Nobody() {
  const { t } = useTranslation("playground");
  return (
    <>
      <PageHead title={t("title")} text={t("text")} />
      <Empty title={t("nobody.title")} text={t("nobody.text")} icon={<IconMessages size={52} stroke={1.2} />}>
        <FirstModel />
        <Button component={Link} to="/models" variant="default">
          {t("nobody.models")}
        </Button>
      </Empty>
    </>
  );
}

function Room({ title, talkers }: { title: string; talkers: string[] }) {
  const { t } = useTranslation("playground");
  const { models, choose } = useChosenModels(talkers);
  const [settings, changeSettings] = useSampling();
  const [opened, setOpened] = useState(false);
  const { turns, running, ask, again, stop, clear } = useConversation();
  const wish = { models, ...settings };
  return (
    <>
      <PageHead title={title} text={t("text")}>
        <Button
          variant="default"
          hiddenFrom="md"
          leftSection={<IconAdjustments size={17} aria-hidden />}
          aria-expanded={opened}
          onClick={() => setOpened(!opened)}
        >
          {t("settings.title")}
        </Button>
        {turns.length > 0 && (
          <Button variant="default" leftSection={<IconEraser size={17} aria-hidden />} onClick={clear}>
            {t("clear")}
          </Button>
        )}
      </PageHead>
      <div className={classes.room}>
        <SettingsPanel opened={opened} settings={settings} change={changeSettings} />
        <div className={classes.talk}>
          <ModelBar models={models} talkers={talkers} choose={choose} />
          <div className={classes.turns}>
            {turns.length === 0 && <Beginning onChoose={(question) => ask(question, wish)} />}
            {turns.map((turn) => (
              <TurnView key={turn.id} turn={turn} onAgain={(side) => again(turn.id, side, wish)} />
            ))}
          </div>
          <EndOf turns={turns} />
          <Composer running={running} onAsk={(question) => ask(question, wish)} onStop={stop} />
        </div>
      </div>
      <Announcer turns={turns} />
    </>
  );
}

const SUGGESTIONS = ["first", "second", "third"] as const;

/** Before the first question: a few that one may begin with. */
function Beginning({ onChoose }: { onChoose: (question: string) => void }) {
  const { t } = useTranslation("playground");
  return (
    <Empty title={t("beginning.title")} text={t("beginning.text")} icon={<IconMessages size={48} stroke={1.2} />}>
      <Group justify="center" gap="xs">
        {SUGGESTIONS.map((name) => (
          <Button key={name} variant="default" radius="xl" size="sm" onClick={() => onChoose(t(`beginning.${name}`))}>
            <bdi>{t(`beginning.${name}`)}</bdi>
          </Button>
        ))}
      </Group>
    </Empty>
  );
}

const NEAR_END = 240;

/** Stays in view while answers grow, unless one has scrolled up. */
function EndOf({ turns }: { turns: Turn[] }) {
  const length = useRef(turns.length);
  useEffect(() => {
    const { scrollHeight, clientHeight, scrollTop } = document.documentElement;
    const asked = turns.length > length.current;
    length.current = turns.length;
    if (asked || scrollHeight - clientHeight - scrollTop < NEAR_END) window.scrollTo({ top: scrollHeight });
  }, [turns]);
  return null;
}

/** For screen readers: that an answer is awaited, and the whole answer when it is there; not each piece of it. */
function Announcer({ turns }: { turns: Turn[] }) {
  const { t } = useTranslation("playground");
  const last = turns[turns.length - 1];
  const told = (last?.answers ?? []).map(({ model, state, text }) => {
    if (state === "waiting" || state === "speaking") return t("announce.waiting", { model });
    return state === "failed" ? t("announce.failed", { model }) : t("announce.done", { model, text });
  });
  return (
    <div role="status" className="k-skip">
      {told.join(" ")}
    </div>
  );
}
