import { Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Config } from "../../api/training";
import { cliOf, curlOf } from "../../lib/commands";
import { CommandBox } from "../../ui/CommandBox";

/** The same training without the Studio. */
export function Commands({ name, config }: { name: string; config: Config }) {
  const { t } = useTranslation("new");
  const submission = { name, config };
  return (
    <section>
      <Title order={2} size="h5" mb="xs">
        {t("commands")}
      </Title>
      <CommandBox
        tabs={[
          ["CLI", cliOf(submission)],
          ["curl", curlOf(submission)],
        ]}
      />
    </section>
  );
}
