// The pages: each is a piece of its own, loaded when somebody goes there.
import { type ComponentType, lazy } from "react";

export interface PageRoute {
  path: string;
  page: ComponentType;
}

const page = (load: () => Promise<{ default: ComponentType }>) => lazy(load);

export const PAGES: PageRoute[] = [
  { path: "/", page: page(() => import("../pages/dashboard/DashboardPage")) },
  { path: "/jobs", page: page(() => import("../pages/jobs/JobsPage")) },
  { path: "/jobs/:id", page: page(() => import("../pages/job/JobPage")) },
  { path: "/new", page: page(() => import("../pages/new/NewPage")) },
  { path: "/compare", page: page(() => import("../pages/compare/ComparePage")) },
  { path: "/models", page: page(() => import("../pages/models/ModelsPage")) },
  { path: "/models/*", page: page(() => import("../pages/model/ModelPage")) },
  { path: "/hub", page: page(() => import("../pages/hub/HubPage")) },
  { path: "/playground", page: page(() => import("../pages/playground/PlaygroundPage")) },
  { path: "/datasets", page: page(() => import("../pages/datasets/DatasetsPage")) },
  { path: "/datasets/*", page: page(() => import("../pages/dataset/DatasetPage")) },
  { path: "/settings", page: page(() => import("../pages/settings/SettingsPage")) },
];
