// The hub beyond cannot be reached: it is said so, and what can be done without it.
import { Alert, Box, Button, Text, Title } from "@mantine/core";
import { IconCloudOff, IconFolder, IconPackage, IconServer2 } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { ApiProblem } from "../../api/problem";
import { CommandBox } from "../../ui/CommandBox";
import { ProblemDetail } from "../../ui/ProblemDetail";
import { FirstModel } from "../models/FirstModel";
import classes from "./HubPage.module.css";

export function HubAway({ error, again }: { error: ApiProblem; again: () => void }) {
  const { t } = useTranslation("hub");
  return (
    <div className={classes.page}>
      <Alert color="zaferan" icon={<IconCloudOff size={22} aria-hidden />} title={t("away.title")} role="alert">
        <Text size="sm" c="var(--k-ink)">
          {t("away.text")}
        </Text>
        <Box my="xs">
          <ProblemDetail failure={{ about: "request", detail: error.problem?.detail ?? error.message }} />
        </Box>
        <Button size="xs" variant="default" onClick={again}>
          {t("common:again")}
        </Button>
      </Alert>
      <section>
        <Title order={2} size="h4" mb="sm">
          {t("away.still")}
        </Title>
        <div className={classes.ways}>
          <Way icon={<IconPackage size={24} stroke={1.5} aria-hidden />} name="package">
            <FirstModel variant="default" />
          </Way>
          <Way icon={<IconFolder size={24} stroke={1.5} aria-hidden />} name="folder">
            <CommandBox tabs={[["CLI", "kargah model install ./my-model-folder --name my-model"]]} />
          </Way>
          <Way icon={<IconServer2 size={24} stroke={1.5} aria-hidden />} name="own">
            <CommandBox tabs={[["env", "KARGAH_UPSTREAM_URL=https://hub.example"]]} />
          </Way>
        </div>
      </section>
    </div>
  );
}

function Way({ icon, name, children }: { icon: ReactNode; name: string; children: ReactNode }) {
  const { t } = useTranslation("hub");
  return (
    <article className={`k-card ${classes.way}`}>
      <Title order={3} size="h5" className={classes.wayTitle}>
        {icon} {t(`away.${name}`)}
      </Title>
      <Text size="sm" c="dimmed">
        {t(`away.${name}Text`)}
      </Text>
      <div className={classes.wayEnd}>{children}</div>
    </article>
  );
}
