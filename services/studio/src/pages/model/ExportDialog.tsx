import { Radio, SegmentedControl, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useExport } from "../../api/tasks";
import { exportsOf } from "../../lib/models";
import { type DialogProps, reference, TaskDialog } from "./TaskDialog";

const EXACTNESS = ["f16", "q8_0"] as const;

/** An adapter merged into its base, or one file for llama.cpp and its kin. */
export function ExportDialog({ version, ...dialog }: DialogProps) {
  const { t } = useTranslation("models");
  const task = useExport();
  const formats = exportsOf(version);
  const [chosen, setFormat] = useState<"safetensors" | "gguf" | null>(null);
  const [quantization, setQuantization] = useState<(typeof EXACTNESS)[number]>("f16");
  const [output, setOutput] = useState("");
  const format = chosen ?? formats[0] ?? "gguf";
  const wish = {
    model: reference(version),
    format,
    ...(format === "gguf" ? { quantization } : {}),
    ...(output.trim() ? { outputModel: output.trim() } : {}),
  };
  return (
    <TaskDialog
      {...dialog}
      title={t("export.title")}
      text={t("export.text")}
      submit={t("export.submit")}
      task={task}
      wish={wish}
    >
      <Radio.Group label={t("export.format")} value={format} onChange={(value) => setFormat(value as typeof format)}>
        <Stack gap="xs" mt="xs">
          {formats.map((value) => (
            <Radio key={value} value={value} label={t(`export.${value}`)} description={t(`export.${value}Text`)} />
          ))}
        </Stack>
      </Radio.Group>
      {format === "gguf" && (
        <SegmentedControl
          aria-label={t("export.quantization")}
          data={EXACTNESS.map((value) => ({ value, label: t(`export.${value}`) }))}
          value={quantization}
          onChange={(value) => setQuantization(value as typeof quantization)}
        />
      )}
      <TextInput
        label={t("export.output")}
        placeholder={`${version.model}-${format === "gguf" ? "gguf" : "merged"}`}
        dir="ltr"
        value={output}
        onChange={(event) => setOutput(event.currentTarget.value)}
      />
    </TaskDialog>
  );
}
