import { ActionIcon, Autocomplete, Button, Code, Group, Stack, Text } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { columnsOf, mappingText } from "../../lib/columns";
import { fieldsOf } from "../../lib/formats";
import classes from "./DatasetsPage.module.css";

interface Props {
  file: File;
  format: string | null;
  onChange: (map: string | null) => void;
}

interface Pair {
  key: number;
  field: string;
  column: string;
}

/** Which column of the file is which field; for columns whose names tell it, nothing is needed. */
export function ColumnMapping({ file, format, onChange }: Props) {
  const { t } = useTranslation("datasets");
  const columns = useColumns(file);
  const [pairs, setPairs] = useState<Pair[]>([]);
  const put = (changed: Pair[]) => {
    setPairs(changed);
    onChange(mappingText(changed));
  };
  const change = (key: number, part: Partial<Pair>) =>
    put(pairs.map((pair) => (pair.key === key ? { ...pair, ...part } : pair)));
  return (
    <fieldset style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
      <Text component="legend" size="sm" fw={500}>
        {t("mapping.title")}
      </Text>
      <Text size="sm" c="dimmed" mb="xs">
        {t("mapping.text")}
        {columns.length > 0 && (
          <>
            {" "}
            {t("mapping.columns")}{" "}
            {columns.map((column) => (
              <Code key={column} me={6}>
                <bdi>{column}</bdi>
              </Code>
            ))}
          </>
        )}
      </Text>
      <Stack gap="xs" maw={560}>
        {pairs.map(({ key, field, column }) => (
          <div key={key} className={classes.pair}>
            <Autocomplete
              label={t("mapping.field")}
              data={fieldsOf(format)}
              value={field}
              onChange={(value) => change(key, { field: value })}
            />
            <Autocomplete
              label={t("mapping.column")}
              data={columns}
              value={column}
              onChange={(value) => change(key, { column: value })}
            />
            <ActionIcon
              variant="subtle"
              color="gray"
              size="input-sm"
              aria-label={t("mapping.remove")}
              onClick={() => put(pairs.filter((pair) => pair.key !== key))}
            >
              <IconX size={16} aria-hidden />
            </ActionIcon>
          </div>
        ))}
        <Group>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlus size={15} aria-hidden />}
            onClick={() => put([...pairs, { key: Date.now(), field: "", column: "" }])}
          >
            {t("mapping.add")}
          </Button>
        </Group>
      </Stack>
    </fieldset>
  );
}

function useColumns(file: File): string[] {
  const [columns, setColumns] = useState<string[]>([]);
  useEffect(() => {
    let gone = false;
    columnsOf(file).then(
      (found) => gone || setColumns(found),
      () => gone || setColumns([]), // it cannot be read any more: the upload will say so
    );
    return () => {
      gone = true;
    };
  }, [file]);
  return columns;
}
