import { Group, Text } from "@mantine/core";
import { Dropzone } from "@mantine/dropzone";
import { IconFileUpload } from "@tabler/icons-react";
import type { RefObject } from "react";
import { useTranslation } from "react-i18next";
import { useWhyNot } from "../../ui/Changing";
import classes from "./DatasetsPage.module.css";

interface Props {
  openRef: RefObject<(() => void) | null>;
  onFiles: (files: File[]) => void;
  /** The dataset whose next version is wanted. */
  into: string | null;
}

/** Where files are dropped, or chosen by a click. */
export function DropArea({ openRef, onFiles, into }: Props) {
  const { t } = useTranslation("datasets");
  const whyNot = useWhyNot();
  return (
    <Dropzone
      openRef={openRef}
      onDrop={onFiles}
      disabled={whyNot !== null}
      className={classes.drop}
      tabIndex={-1} // by keyboard it is the button above
      inputProps={{ "aria-label": t("upload.choose") }}
    >
      <Group gap="md" wrap="nowrap">
        <IconFileUpload size={34} stroke={1.4} className={classes.icon} aria-hidden />
        <div>
          <Text fw={600}>
            {t("upload.drop")}
            {into && (
              <>
                {" "}
                · {t("upload.into")} <bdi>{into}</bdi>
              </>
            )}
          </Text>
          <Text size="sm" c="dimmed">
            {whyNot ?? t("upload.kinds")}
          </Text>
        </div>
      </Group>
    </Dropzone>
  );
}
