# Needs Python 3.11+ and make; everything else is installed into the project.
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := $(UV) run --frozen --extra all

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

.venv/.ready: pyproject.toml uv.lock
	@[ -x "$$(command -v $(UV))" ] || { python3 -m venv .uv && .uv/bin/pip install --quiet uv==0.13.9; }
	$(UV) sync --frozen --extra all
	@touch $@
