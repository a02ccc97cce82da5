import { Button, Text, Textarea } from "@mantine/core";
import { IconArrowUp, IconPlayerStopFilled } from "@tabler/icons-react";
import { type KeyboardEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import classes from "./PlaygroundPage.module.css";

interface Props {
  running: boolean;
  onAsk: (question: string) => void;
  onStop: () => void;
}

/** Enter sends, Shift+Enter begins a new line. */
export function Composer({ running, onAsk, onStop }: Props) {
  const { t } = useTranslation("playground");
  const [text, setText] = useState("");
  const ready = text.trim() !== "" && !running;
  const send = () => {
    if (!ready) return;
    onAsk(text.trim());
    setText("");
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      className={`k-glass ${classes.composer}`}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Textarea
        aria-label={t("composer.label")}
        placeholder={t("composer.placeholder")}
        dir={text === "" ? undefined : "auto"}
        autosize
        minRows={1}
        maxRows={8}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={pressed}
      />
      {running ? (
        <Button variant="default" onClick={onStop} leftSection={<IconPlayerStopFilled size={16} aria-hidden />}>
          {t("composer.stop")}
        </Button>
      ) : (
        <Button type="submit" disabled={!ready} leftSection={<IconArrowUp size={17} aria-hidden />}>
          {t("composer.send")}
        </Button>
      )}
      <Text size="xs" c="dimmed" className={classes.hint}>
        {t("composer.hint")}
      </Text>
    </form>
  );
}
