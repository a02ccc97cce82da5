import { Anchor, Group, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

interface Props {
  title: string;
  text?: ReactNode;
  /** Where this one is found among others. */
  back?: { to: string; label: string };
  /** Buttons at the end of the line. */
  children?: ReactNode;
}

/** The page's heading, which is the tab's title as well. */
export function PageHead({ title, text, back, children }: Props) {
  const { t } = useTranslation();
  useEffect(() => {
    document.title = `${title} · ${t("brand")}`;
  }, [title, t]);
  return (
    <div>
      {back && (
        <Anchor component={Link} to={back.to} size="sm">
          {back.label}
        </Anchor>
      )}
      <Group justify="space-between" align="flex-start" mb="lg" gap="md">
        <Stack gap={4} style={{ minWidth: 0 }}>
          <Title order={1} size="h2" className="k-bidi" style={{ overflowWrap: "anywhere" }}>
            {title}
          </Title>
          {text && (
            <Text c="dimmed" component="div">
              {text}
            </Text>
          )}
        </Stack>
        {children && <Group gap="xs">{children}</Group>}
      </Group>
    </div>
  );
}
