// Generated from openapi/argo-cd.yaml: `npx vitest run packages/argocd-client/test/generated-types.test.ts -u`.

export interface paths {
    "/api/version": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: components["responses"]["Version"];
                default: components["responses"]["Problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/applications": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    name?: string;
                    projects?: components["parameters"]["projects"];
                    selector?: components["parameters"]["selector"];
                    repo?: string;
                    appNamespace?: components["parameters"]["appNamespace"];
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: components["responses"]["ApplicationList"];
                default: components["responses"]["Problem"];
            };
        };
        put?: never;
        post: {
            parameters: {
                query?: {
                    upsert?: boolean;
                    validate?: boolean;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Application"];
                };
            };
            responses: {
                200: components["responses"]["Application"];
                default: components["responses"]["Problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stream/applications": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    name?: string;
                    projects?: components["parameters"]["projects"];
                    selector?: components["parameters"]["selector"];
                    repo?: string;
                    appNamespace?: components["parameters"]["appNamespace"];
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** A frame for each event, as server-sent events or as JSON separated by line feeds. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": {
                            result?: components["schemas"]["ApplicationWatchEvent"];
                            error?: components["schemas"]["StreamProblem"];
                        };
                    };
                };
                default: components["responses"]["Problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/applications/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: components["parameters"]["name"];
            };
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    projects?: components["parameters"]["projects"];
                    appNamespace?: components["parameters"]["appNamespace"];
                    refresh?: "normal" | "hard";
                };
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: components["responses"]["Application"];
                default: components["responses"]["Problem"];
            };
        };
        put: {
            parameters: {
                query?: {
                    project?: components["parameters"]["project"];
                    validate?: boolean;
                };
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Application"];
                };
            };
            responses: {
                200: components["responses"]["Application"];
                default: components["responses"]["Problem"];
            };
        };
        post?: never;
        delete: {
            parameters: {
                query?: {
                    project?: components["parameters"]["project"];
                    appNamespace?: components["parameters"]["appNamespace"];
                    cascade?: boolean;
                    propagationPolicy?: "foreground" | "background";
                };
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: components["responses"]["Nothing"];
                default: components["responses"]["Problem"];
            };
        };
        options?: never;
        head?: never;
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        name: string;
                        appNamespace?: string;
                        project?: string;
                        /** The patch as JSON text. */
                        patch: string;
                        /** @enum {string} */
                        patchType: "json" | "merge";
                    };
                };
            };
            responses: {
                200: components["responses"]["Application"];
                default: components["responses"]["Problem"];
            };
        };
        trace?: never;
    };
    "/api/v1/applications/{name}/spec": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: components["parameters"]["name"];
            };
            cookie?: never;
        };
        get?: never;
        put: {
            parameters: {
                query?: {
                    project?: components["parameters"]["project"];
                    appNamespace?: components["parameters"]["appNamespace"];
                    validate?: boolean;
                };
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ApplicationSpec"];
                };
            };
            responses: {
                /** The spec as it was stored. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ApplicationSpec"];
                    };
                };
                default: components["responses"]["Problem"];
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/applications/{name}/sync": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: components["parameters"]["name"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        name: string;
                        appNamespace?: string;
                        project?: string;
                        revision?: string;
                        revisions?: string[];
                        /** From 1. */
                        sourcePositions?: number[];
                        dryRun?: boolean;
                        prune?: boolean;
                        strategy?: components["schemas"]["SyncStrategy"];
                        resources?: components["schemas"]["SyncResource"][];
                        infos?: components["schemas"]["Info"][];
                        retryStrategy?: components["schemas"]["RetryStrategy"];
                        syncOptions?: {
                            items?: string[];
                        };
                    };
                };
            };
            responses: {
                200: components["responses"]["Application"];
                default: components["responses"]["Problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/applications/{name}/rollback": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: components["parameters"]["name"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        name: string;
                        appNamespace?: string;
                        project?: string;
                        id: number;
                        dryRun?: boolean;
                        prune?: boolean;
                    };
                };
            };
            responses: {
                200: components["responses"]["Application"];
                default: components["responses"]["Problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/applications/{name}/operation": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: components["parameters"]["name"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete: {
            parameters: {
                query?: {
                    project?: components["parameters"]["project"];
                    appNamespace?: components["parameters"]["appNamespace"];
                };
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: components["responses"]["Nothing"];
                default: components["responses"]["Problem"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/applications/{name}/resource-tree": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: components["parameters"]["name"];
            };
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    project?: components["parameters"]["project"];
                    appNamespace?: components["parameters"]["appNamespace"];
                    group?: string;
                    version?: string;
                    kind?: string;
                    namespace?: string;
                    name?: string;
                };
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** What the Application's resources are, and what they made. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ApplicationTree"];
                    };
                };
                default: components["responses"]["Problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/applications/{name}/resource": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: components["parameters"]["name"];
            };
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    project?: components["parameters"]["project"];
                    appNamespace?: components["parameters"]["appNamespace"];
                    group?: string;
                    version?: string;
                    kind?: string;
                    namespace?: string;
                    resourceName?: string;
                };
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** One resource as it lives now, as a JSON text, without what a Secret holds. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            manifest?: string;
                        };
                    };
                };
                default: components["responses"]["Problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stream/applications/{name}/resource-tree": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: components["parameters"]["name"];
            };
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    project?: components["parameters"]["project"];
                    appNamespace?: components["parameters"]["appNamespace"];
                };
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** A frame for each change of the tree. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": {
                            result?: components["schemas"]["ApplicationTree"];
                            error?: components["schemas"]["StreamProblem"];
                        };
                    };
                };
                default: components["responses"]["Problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/applications/{name}/managed-resources": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: components["parameters"]["name"];
            };
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    project?: components["parameters"]["project"];
                    appNamespace?: components["parameters"]["appNamespace"];
                    group?: string;
                    version?: string;
                    kind?: string;
                    namespace?: string;
                    name?: string;
                };
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** Each resource as it lives and as it should be. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            items?: components["schemas"]["ManagedResource"][] | null;
                        };
                    };
                };
                default: components["responses"]["Problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/applications/{name}/manifests": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: components["parameters"]["name"];
            };
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    project?: components["parameters"]["project"];
                    appNamespace?: components["parameters"]["appNamespace"];
                    revision?: string;
                    revisions?: string[];
                    sourcePositions?: number[];
                };
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** What the sources render to. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            manifests?: string[] | null;
                            namespace?: string;
                            server?: string;
                            revision?: string;
                            sourceType?: string;
                            commands?: string[] | null;
                        };
                    };
                };
                default: components["responses"]["Problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/applications/{name}/events": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: components["parameters"]["name"];
            };
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    project?: components["parameters"]["project"];
                    appNamespace?: components["parameters"]["appNamespace"];
                    resourceName?: string;
                    resourceNamespace?: string;
                    resourceUID?: string;
                };
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** Kubernetes' events of the Application, or of one of its resources. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            items?: components["schemas"]["Event"][] | null;
                        };
                    };
                };
                default: components["responses"]["Problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/applications/{name}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: components["parameters"]["name"];
            };
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    project?: components["parameters"]["project"];
                    appNamespace?: components["parameters"]["appNamespace"];
                    group?: string;
                    kind?: string;
                    namespace?: string;
                    resourceName?: string;
                    podName?: string;
                    container?: string;
                    follow?: boolean;
                    previous?: boolean;
                    tailLines?: number;
                    sinceSeconds?: number;
                    filter?: string;
                };
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** A frame for each line. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": {
                            result?: components["schemas"]["LogEntry"];
                            error?: components["schemas"]["StreamProblem"];
                        };
                    };
                };
                default: components["responses"]["Problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/applications/{name}/syncwindows": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: components["parameters"]["name"];
            };
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    project?: components["parameters"]["project"];
                    appNamespace?: components["parameters"]["appNamespace"];
                };
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** Whether a sync may begin now, and what says so. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            canSync?: boolean;
                            activeWindows?: components["schemas"]["AppliedSyncWindow"][] | null;
                            assignedWindows?: components["schemas"]["AppliedSyncWindow"][] | null;
                        };
                    };
                };
                default: components["responses"]["Problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    name?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** Every project that the caller may see. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            items?: components["schemas"]["AppProject"][] | null;
                            metadata?: components["schemas"]["ListMeta"];
                        };
                    };
                };
                default: components["responses"]["Problem"];
            };
        };
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        project: components["schemas"]["AppProject"];
                        upsert?: boolean;
                    };
                };
            };
            responses: {
                200: components["responses"]["AppProject"];
                default: components["responses"]["Problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: components["parameters"]["name"];
            };
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: components["responses"]["AppProject"];
                default: components["responses"]["Problem"];
            };
        };
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        project: components["schemas"]["AppProject"];
                    };
                };
            };
            responses: {
                200: components["responses"]["AppProject"];
                default: components["responses"]["Problem"];
            };
        };
        post?: never;
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: components["responses"]["Nothing"];
                default: components["responses"]["Problem"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{name}/roles/{role}/token": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: components["parameters"]["name"];
                role: string;
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                    role: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        project: string;
                        role: string;
                        id?: string;
                        description?: string;
                        /** Seconds; 0 for a token that does not expire. */
                        expiresIn?: number;
                    };
                };
            };
            responses: {
                200: components["responses"]["Token"];
                default: components["responses"]["Problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{name}/roles/{role}/token/{iat}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: components["parameters"]["name"];
                role: string;
                iat: string;
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete: {
            parameters: {
                query?: {
                    id?: string;
                };
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                    role: string;
                    iat: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: components["responses"]["Nothing"];
                default: components["responses"]["Problem"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/repositories": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    appProject?: string;
                    forceRefresh?: boolean;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** Every repository that the caller may see, without its secrets. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            items?: components["schemas"]["Repository"][] | null;
                            metadata?: components["schemas"]["ListMeta"];
                        };
                    };
                };
                default: components["responses"]["Problem"];
            };
        };
        put?: never;
        post: {
            parameters: {
                query?: {
                    upsert?: boolean;
                    credsOnly?: boolean;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Repository"];
                };
            };
            responses: {
                200: components["responses"]["Repository"];
                default: components["responses"]["Problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/repositories/{repo}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: string;
            };
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    appProject?: string;
                    forceRefresh?: boolean;
                };
                header?: never;
                path: {
                    repo: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: components["responses"]["Repository"];
                default: components["responses"]["Problem"];
            };
        };
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    repo: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Repository"];
                };
            };
            responses: {
                200: components["responses"]["Repository"];
                default: components["responses"]["Problem"];
            };
        };
        post?: never;
        delete: {
            parameters: {
                query?: {
                    appProject?: string;
                };
                header?: never;
                path: {
                    repo: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: components["responses"]["Nothing"];
                default: components["responses"]["Problem"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/repocreds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    url?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** Credentials by the beginning of the repositories' URLs, without their secrets. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            items?: components["schemas"]["RepositoryCredentials"][] | null;
                            metadata?: components["schemas"]["ListMeta"];
                        };
                    };
                };
                default: components["responses"]["Problem"];
            };
        };
        put?: never;
        post: {
            parameters: {
                query?: {
                    upsert?: boolean;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["RepositoryCredentials"];
                };
            };
            responses: {
                200: components["responses"]["RepositoryCredentials"];
                default: components["responses"]["Problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/repocreds/{url}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                url: string;
            };
            cookie?: never;
        };
        get?: never;
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    url: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["RepositoryCredentials"];
                };
            };
            responses: {
                200: components["responses"]["RepositoryCredentials"];
                default: components["responses"]["Problem"];
            };
        };
        post?: never;
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    url: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: components["responses"]["Nothing"];
                default: components["responses"]["Problem"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clusters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    server?: string;
                    name?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** Every cluster that the caller may see, without its secrets. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            items?: components["schemas"]["Cluster"][] | null;
                            metadata?: components["schemas"]["ListMeta"];
                        };
                    };
                };
                default: components["responses"]["Problem"];
            };
        };
        put?: never;
        post: {
            parameters: {
                query?: {
                    upsert?: boolean;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Cluster"];
                };
            };
            responses: {
                200: components["responses"]["Cluster"];
                default: components["responses"]["Problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clusters/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    /** What the id is. Only a cluster's server or its URL-encoded name identify it. */
                    "id.type"?: components["parameters"]["clusterIdType"];
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: components["responses"]["Cluster"];
                default: components["responses"]["Problem"];
            };
        };
        put: {
            parameters: {
                query?: {
                    /** What the id is. Only a cluster's server or its URL-encoded name identify it. */
                    "id.type"?: components["parameters"]["clusterIdType"];
                    updatedFields?: string[];
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Cluster"];
                };
            };
            responses: {
                200: components["responses"]["Cluster"];
                default: components["responses"]["Problem"];
            };
        };
        post?: never;
        delete: {
            parameters: {
                query?: {
                    /** What the id is. Only a cluster's server or its URL-encoded name identify it. */
                    "id.type"?: components["parameters"]["clusterIdType"];
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: components["responses"]["Nothing"];
                default: components["responses"]["Problem"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        username: string;
                        password: string;
                    };
                };
            };
            responses: {
                200: components["responses"]["Token"];
                default: components["responses"]["Problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/userinfo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** Who the caller is. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            loggedIn?: boolean;
                            username?: string;
                            iss?: string;
                            groups?: string[] | null;
                        };
                    };
                };
                default: components["responses"]["Problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/account": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** Local accounts. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            items?: components["schemas"]["Account"][] | null;
                        };
                    };
                };
                default: components["responses"]["Problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/account/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: components["parameters"]["name"];
            };
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** A local account. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Account"];
                    };
                };
                default: components["responses"]["Problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/account/{name}/token": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: components["parameters"]["name"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        name: string;
                        id?: string;
                        /** Seconds; 0 for a token that does not expire. */
                        expiresIn?: number;
                    };
                };
            };
            responses: {
                200: components["responses"]["Token"];
                default: components["responses"]["Problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/account/{name}/token/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: components["parameters"]["name"];
                id: string;
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: components["parameters"]["name"];
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: components["responses"]["Nothing"];
                default: components["responses"]["Problem"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** What an installation is set to; more of it for callers that are logged in. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Settings"];
                    };
                };
                default: components["responses"]["Problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        StreamProblem: {
            grpc_code?: number;
            http_code?: number;
            http_status?: string;
            message?: string;
        };
        ListMeta: {
            resourceVersion?: string;
        };
        /** Format: date-time */
        Time: string;
        StringMap: {
            [key: string]: string;
        };
        JsonObject: {
            [key: string]: unknown;
        };
        ObjectMeta: {
            name: string;
            namespace?: string;
            uid?: string;
            resourceVersion?: string;
            generation?: number;
            labels?: components["schemas"]["StringMap"];
            annotations?: components["schemas"]["StringMap"];
            finalizers?: string[];
            creationTimestamp?: components["schemas"]["Time"];
            deletionTimestamp?: components["schemas"]["Time"];
        };
        ApplicationWatchEvent: {
            /** @enum {string} */
            type: "ADDED" | "MODIFIED" | "DELETED";
            application: components["schemas"]["Application"];
        };
        Application: {
            apiVersion?: string;
            kind?: string;
            metadata: components["schemas"]["ObjectMeta"];
            spec: components["schemas"]["ApplicationSpec"];
            operation?: components["schemas"]["Operation"];
            status?: components["schemas"]["ApplicationStatus"];
        };
        ApplicationSpec: {
            project?: string;
            destination?: components["schemas"]["ApplicationDestination"];
            source?: components["schemas"]["ApplicationSource"];
            sources?: components["schemas"]["ApplicationSource"][];
            syncPolicy?: components["schemas"]["SyncPolicy"];
            ignoreDifferences?: components["schemas"]["IgnoreDifferences"][];
            info?: components["schemas"]["Info"][];
            revisionHistoryLimit?: number;
        };
        ApplicationDestination: {
            server?: string;
            name?: string;
            namespace?: string;
        };
        ApplicationSource: {
            repoURL: string;
            path?: string;
            chart?: string;
            targetRevision?: string;
            ref?: string;
            name?: string;
            helm?: components["schemas"]["HelmSource"];
            kustomize?: components["schemas"]["KustomizeSource"];
            directory?: components["schemas"]["DirectorySource"];
        };
        HelmSource: {
            releaseName?: string;
            valueFiles?: string[];
            values?: string;
            valuesObject?: components["schemas"]["JsonObject"];
            parameters?: {
                name?: string;
                value?: string;
                forceString?: boolean;
            }[];
            ignoreMissingValueFiles?: boolean;
            skipCrds?: boolean;
            namespace?: string;
            kubeVersion?: string;
            apiVersions?: string[];
        };
        KustomizeSource: {
            namePrefix?: string;
            nameSuffix?: string;
            namespace?: string;
            images?: string[];
            components?: string[];
            commonLabels?: components["schemas"]["StringMap"];
            commonAnnotations?: components["schemas"]["StringMap"];
        };
        DirectorySource: {
            recurse?: boolean;
            include?: string;
            exclude?: string;
        };
        SyncPolicy: {
            automated?: {
                enabled?: boolean;
                prune?: boolean;
                selfHeal?: boolean;
                allowEmpty?: boolean;
            };
            syncOptions?: string[];
            retry?: components["schemas"]["RetryStrategy"];
            managedNamespaceMetadata?: {
                labels?: components["schemas"]["StringMap"];
                annotations?: components["schemas"]["StringMap"];
            };
        };
        RetryStrategy: {
            /** -1 for no limit. */
            limit?: number;
            refresh?: boolean;
            backoff?: {
                duration?: string;
                factor?: number;
                maxDuration?: string;
            };
        };
        IgnoreDifferences: {
            group?: string;
            kind?: string;
            name?: string;
            namespace?: string;
            jsonPointers?: string[];
            jqPathExpressions?: string[];
            managedFieldsManagers?: string[];
        };
        Info: {
            name?: string;
            value?: string;
        };
        SyncStrategy: {
            apply?: {
                force?: boolean;
            };
            hook?: {
                syncStrategyApply?: {
                    force?: boolean;
                };
            };
        };
        SyncResource: {
            group?: string;
            kind?: string;
            name?: string;
            namespace?: string;
        };
        Operation: {
            initiatedBy?: components["schemas"]["OperationInitiator"];
            info?: components["schemas"]["Info"][];
            retry?: components["schemas"]["RetryStrategy"];
            sync?: {
                revision?: string;
                revisions?: string[];
                prune?: boolean;
                dryRun?: boolean;
                syncStrategy?: components["schemas"]["SyncStrategy"];
                syncOptions?: string[];
                resources?: components["schemas"]["SyncResource"][];
            };
        };
        OperationInitiator: {
            username?: string;
            automated?: boolean;
        };
        ApplicationStatus: {
            sync?: {
                status?: string;
                revision?: string;
                revisions?: string[];
                comparedTo?: {
                    source?: components["schemas"]["ApplicationSource"];
                    sources?: components["schemas"]["ApplicationSource"][];
                    destination?: components["schemas"]["ApplicationDestination"];
                };
            };
            health?: components["schemas"]["Health"];
            conditions?: {
                type: string;
                message: string;
                lastTransitionTime?: components["schemas"]["Time"];
            }[];
            operationState?: {
                operation?: components["schemas"]["Operation"];
                phase?: string;
                message?: string;
                startedAt?: components["schemas"]["Time"];
                finishedAt?: components["schemas"]["Time"];
                retryCount?: number;
                syncResult?: {
                    revision?: string;
                    revisions?: string[];
                    resources?: components["schemas"]["ResourceResult"][];
                };
            };
            history?: {
                id?: number;
                revision?: string;
                revisions?: string[];
                deployStartedAt?: components["schemas"]["Time"];
                deployedAt?: components["schemas"]["Time"];
                initiatedBy?: components["schemas"]["OperationInitiator"];
            }[];
            reconciledAt?: components["schemas"]["Time"];
            resources?: components["schemas"]["ResourceStatus"][];
            sourceType?: string;
            summary?: {
                externalURLs?: string[];
                images?: string[];
            };
        };
        Health: {
            status?: string;
            message?: string;
            lastTransitionTime?: components["schemas"]["Time"];
        };
        ResourceResult: {
            group?: string;
            version?: string;
            kind?: string;
            namespace?: string;
            name?: string;
            status?: string;
            message?: string;
            hookType?: string;
            hookPhase?: string;
            syncPhase?: string;
        };
        ResourceStatus: {
            group?: string;
            version?: string;
            kind?: string;
            namespace?: string;
            name?: string;
            status?: string;
            health?: components["schemas"]["Health"];
            hook?: boolean;
            requiresPruning?: boolean;
            syncWave?: number;
        };
        ApplicationTree: {
            nodes?: components["schemas"]["ResourceNode"][] | null;
            orphanedNodes?: components["schemas"]["ResourceNode"][] | null;
        };
        ResourceNode: {
            group?: string;
            version?: string;
            kind?: string;
            namespace?: string;
            name?: string;
            uid?: string;
            parentRefs?: components["schemas"]["ResourceReference"][];
            resourceVersion?: string;
            createdAt?: components["schemas"]["Time"];
            health?: components["schemas"]["Health"];
            images?: string[];
            info?: components["schemas"]["Info"][];
        };
        ResourceReference: {
            group?: string;
            version?: string;
            kind?: string;
            namespace?: string;
            name?: string;
            uid?: string;
        };
        ManagedResource: {
            group?: string;
            kind?: string;
            namespace?: string;
            name?: string;
            hook?: boolean;
            modified?: boolean;
            resourceVersion?: string;
            /** JSON text; null for a resource that does not exist. */
            liveState?: string;
            targetState?: string;
            normalizedLiveState?: string;
            predictedLiveState?: string;
        };
        Event: {
            metadata?: components["schemas"]["ObjectMeta"];
            type?: string;
            reason?: string;
            message?: string;
            count?: number;
            firstTimestamp?: components["schemas"]["Time"];
            lastTimestamp?: components["schemas"]["Time"];
            involvedObject?: {
                kind?: string;
                namespace?: string;
                name?: string;
                uid?: string;
            };
        };
        LogEntry: {
            content?: string;
            timeStampStr?: string;
            podName?: string;
            /** The log ends here. */
            last?: boolean;
        };
        AppliedSyncWindow: {
            kind?: string;
            schedule?: string;
            duration?: string;
            manualSync?: boolean;
        };
        AppProject: {
            metadata: components["schemas"]["ObjectMeta"];
            spec: {
                description?: string;
                sourceRepos?: string[];
                sourceNamespaces?: string[];
                destinations?: components["schemas"]["ApplicationDestination"][];
                clusterResourceWhitelist?: components["schemas"]["ClusterResourceRestriction"][];
                clusterResourceBlacklist?: components["schemas"]["ClusterResourceRestriction"][];
                namespaceResourceWhitelist?: components["schemas"]["GroupKind"][];
                namespaceResourceBlacklist?: components["schemas"]["GroupKind"][];
                permitOnlyProjectScopedClusters?: boolean;
                orphanedResources?: {
                    warn?: boolean;
                };
                destinationServiceAccounts?: {
                    server?: string;
                    namespace?: string;
                    defaultServiceAccount?: string;
                }[];
                roles?: {
                    name?: string;
                    description?: string;
                    policies?: string[];
                    groups?: string[];
                }[];
                syncWindows?: {
                    kind?: string;
                    schedule?: string;
                    duration?: string;
                    timeZone?: string;
                    manualSync?: boolean;
                    applications?: string[];
                    namespaces?: string[];
                    clusters?: string[];
                    description?: string;
                }[];
            };
        };
        ClusterResourceRestriction: {
            group?: string;
            kind?: string;
            name?: string;
        };
        GroupKind: {
            group?: string;
            kind?: string;
        };
        ConnectionState: {
            status?: string;
            message?: string;
            attemptedAt?: components["schemas"]["Time"];
        };
        Repository: {
            repo: string;
            type?: string;
            name?: string;
            project?: string;
            username?: string;
            password?: string;
            bearerToken?: string;
            sshPrivateKey?: string;
            tlsClientCertData?: string;
            tlsClientCertKey?: string;
            insecure?: boolean;
            insecureIgnoreHostKey?: boolean;
            enableOCI?: boolean;
            enableLfs?: boolean;
            forceHttpBasicAuth?: boolean;
            inheritedCreds?: boolean;
            proxy?: string;
            noProxy?: string;
            githubAppPrivateKey?: string;
            githubAppID?: number;
            githubAppInstallationID?: number;
            githubAppEnterpriseBaseUrl?: string;
            webhookManifestCacheWarmDisabled?: boolean;
            connectionState?: components["schemas"]["ConnectionState"];
        };
        RepositoryCredentials: {
            url: string;
            type?: string;
            username?: string;
            password?: string;
            bearerToken?: string;
            sshPrivateKey?: string;
            tlsClientCertData?: string;
            tlsClientCertKey?: string;
            enableOCI?: boolean;
            forceHttpBasicAuth?: boolean;
            proxy?: string;
            noProxy?: string;
            githubAppPrivateKey?: string;
            githubAppID?: number;
            githubAppInstallationID?: number;
            githubAppEnterpriseBaseUrl?: string;
        };
        Cluster: {
            server: string;
            name?: string;
            project?: string;
            namespaces?: string[];
            clusterResources?: boolean;
            labels?: components["schemas"]["StringMap"];
            annotations?: components["schemas"]["StringMap"];
            serverVersion?: string;
            connectionState?: components["schemas"]["ConnectionState"];
            config?: {
                username?: string;
                password?: string;
                bearerToken?: string;
                tlsClientConfig?: {
                    insecure?: boolean;
                    serverName?: string;
                    /** Base64. */
                    caData?: string;
                    /** Base64. */
                    certData?: string;
                    /** Base64. */
                    keyData?: string;
                };
            };
            info?: {
                serverVersion?: string;
                applicationsCount?: number;
                apiVersions?: string[];
                connectionState?: components["schemas"]["ConnectionState"];
            };
        };
        Account: {
            name: string;
            enabled?: boolean;
            capabilities?: string[] | null;
            tokens?: {
                id?: string;
                /** Seconds since 1970. */
                issuedAt?: number;
                /** Seconds since 1970; 0 for never. */
                expiresAt?: number;
            }[] | null;
        };
        Version: {
            Version: string;
            BuildDate?: string;
            GitCommit?: string;
            GitTag?: string;
            HelmVersion?: string;
            KustomizeVersion?: string;
            KubectlVersion?: string;
        };
        Settings: {
            url?: string;
            appLabelKey?: string;
            trackingMethod?: string;
            installationID?: string;
            controllerNamespace?: string;
            appsInAnyNamespaceEnabled?: boolean;
            impersonationEnabled?: boolean;
            hydratorEnabled?: boolean;
            execEnabled?: boolean;
            userLoginsDisabled?: boolean;
            statusBadgeEnabled?: boolean;
            kustomizeVersions?: string[] | null;
        };
    };
    responses: {
        /** What went wrong. */
        Problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": {
                    code?: number;
                    error?: string;
                    message?: string;
                };
            };
        };
        /** Done. */
        Nothing: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": Record<string, never>;
            };
        };
        /** What is installed. */
        Version: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Version"];
            };
        };
        /** A token, which is shown this once. */
        Token: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": {
                    token: string;
                };
            };
        };
        /** An Application. */
        Application: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Application"];
            };
        };
        /** Every Application that matches and that the caller may see, by name. There are no pages. */
        ApplicationList: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": {
                    items?: components["schemas"]["Application"][] | null;
                    metadata?: components["schemas"]["ListMeta"];
                };
            };
        };
        /** A project. */
        AppProject: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["AppProject"];
            };
        };
        /** A repository, without its secrets. */
        Repository: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Repository"];
            };
        };
        /** Credentials, without their secrets. */
        RepositoryCredentials: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["RepositoryCredentials"];
            };
        };
        /** A cluster, without its secrets. */
        Cluster: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Cluster"];
            };
        };
    };
    parameters: {
        name: string;
        project: string;
        projects: string[];
        selector: string;
        appNamespace: string;
        /** What the id is. Only a cluster's server or its URL-encoded name identify it. */
        clusterIdType: "url" | "name" | "name_escaped";
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
