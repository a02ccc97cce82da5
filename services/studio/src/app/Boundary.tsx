// The last net: a page that breaks says so, and the rest of the Studio stays.
import { Button, Code, Stack, Text, Title } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { i18next } from "../i18n";

interface State {
  error: Error | null;
}

export class Boundary extends Component<{ children: ReactNode }, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: Error): State {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <Stack align="center" justify="center" mih="60dvh" p="xl" role="alert">
        <Title order={2}>{i18next.t("broken.title")}</Title>
        <Text c="dimmed">{i18next.t("broken.text")}</Text>
        <Code dir="ltr">{error.message}</Code>
        <Button onClick={() => window.location.reload()}>{i18next.t("broken.reload")}</Button>
      </Stack>
    );
  }
}
