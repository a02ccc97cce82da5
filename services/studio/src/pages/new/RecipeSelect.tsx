import { Select } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Recipe } from "../../api/client";
import { useTextOr } from "../../i18n/optional";
import type { PartProps } from "./Basics";

type Props = Omit<PartProps, "problems"> & { problem: string | undefined };

/** The recipes that fit; the automatic choice unless somebody wants another. */
export function RecipeSelect({ draft, plan, change, problem }: Props) {
  const { t } = useTranslation("new");
  const or = useTextOr("new");
  const title = (recipe: Recipe) => or(`new:recipes.${recipe.name}.title`, recipe.title);
  const [automatic] = plan.fits;
  const data = [
    { value: "", label: t("recipe.automatic", { title: automatic ? title(automatic) : "" }) },
    ...plan.fits.map((recipe) => ({ value: recipe.name, label: title(recipe) })),
  ];
  return (
    <Select
      mt="md"
      label={t("recipe.label")}
      description={plan.recipe && or(`new:recipes.${plan.recipe.name}.text`, plan.recipe.description)}
      data={data}
      value={draft.recipe ?? ""}
      allowDeselect={false}
      onChange={(recipe) => change({ recipe: recipe || null })}
      error={problem}
    />
  );
}
