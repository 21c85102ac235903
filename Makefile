# Console Chat: `make` alone tells what there is.

NAME ?= $(or $(USER),$(shell id -un))
PORT ?= 7777
bin := .venv/bin
code := wire storage server cli tests tools bench
# For trial, which runs them a second time: what waits for a reactor, as each runner does in a way of its own. To what is
# done to processes, in a terminal or in containers, all runners are alike.
processes := tests\.(bench|engine|mariadb|processes|system|terminal)
waiting := $(shell grep -rlE --include='test_*.py' 'twisted\.trial' tests)
twice := $(subst /,.,$(basename $(sort $(shell grep -LE '$(processes)' $(waiting)))))
# Many tests wait for what they have started, so there are more at a time than there are processors.
pytest := $(bin)/python -m pytest -q -n $(shell expr $$(nproc) + 2) --dist loadfile --no-loadscope-reorder

.PHONY: help run serve join test trial pytest coverage torture lint format guide fuzz bench bench-full bench-check pictures lock wheels clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' $(MAKEFILE_LIST) | expand -t 16

run: .venv/ready ## a server and your client in this terminal, as NAME=you
	@$(bin)/python tools/run.py --port $(PORT) $(NAME)

serve: .venv/ready ## the server alone, on PORT=7777 of this machine, with its messages in chat.db
	@exec $(bin)/python cmd/server --listen tcp:$(PORT):interface=127.0.0.1

join: .venv/ready ## one more client in this terminal, as NAME=bob
	@exec $(bin)/python cmd/cli --port $(PORT) $(NAME)

test: $(filter-out $(DONE),lint trial) pytest ## everything that has to hold: style, types, tests

trial: .venv/ready
	@tools/needs.sh
	$(bin)/python -m twisted.trial -j 2 --reporter=text --temp-directory=_trial_temp $(twice)

pytest: .venv/ready
	@tools/needs.sh
	$(pytest)
	-$(bin)/python -m bench.check --short

coverage: .venv/ready ## how much of the code the tests go through: less than 90 % is a failure
	@tools/needs.sh
	$(pytest) --ignore tests/torture --cov --cov-report=term

torture: export KILLS ?= 100
torture: export DB_KILLS ?= 20
torture: export CLUSTER_KILLS ?= 50
torture: export NODE_KILLS ?= 5
torture: export NODE_CUTS ?= 5
torture: export LAGS ?= 20
torture: export CUTS ?= 50
torture: export CONTENTS ?= 10
torture: export RACES ?= 200
torture: export FULL ?= 10
torture: .venv/ready ## kill, cut, stall and fill, for long: KILLS=100 DB_KILLS=20, and SEED=… to repeat a run
	@tools/needs.sh
	$(bin)/python -m pytest -q -s tests/torture

lint: .venv/ready ## style and types, and what is known of the packages that we stand on
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy $(code)
	@tools/audit.sh

format: .venv/ready ## put the code into its form
	$(bin)/ruff check --fix .
	$(bin)/ruff format .

guide: .venv/ready ## the tables of docs/client.md, from the commands, keys and settings that there are
	$(bin)/python tools/guide.py

fuzz: export SECONDS ?= 3600
fuzz: .venv/ready ## look for inputs that break something, for SECONDS=3600
	@$(bin)/python -c "import atheris" 2>/dev/null || $(bin)/pip install --quiet --require-hashes --no-deps -r requirements-fuzz.txt
	$(bin)/python -m tests.fuzz $$SECONDS

bench: .venv/ready ## how fast, beside other servers: the goals in a quarter of an hour, into docs/benchmarks.md
	$(bin)/python -m bench

bench-full: .venv/ready ## everything that can be measured, for an hour and more
	$(bin)/python -m bench --full

bench-check: .venv/ready ## whether it has become slower, measured against the server one would write first
	$(bin)/python -m bench.check

pictures: .venv/ready ## docs/pictures, from a talk in a real terminal
	$(bin)/python tools/pictures.py

lock: .venv/ready ## choose the newest versions that requirements*.in allow
	$(bin)/pip install --quiet pip-tools
	for name in requirements requirements-build requirements-dev; do \
	    CUSTOM_COMPILE_COMMAND="make lock" $(bin)/pip-compile --quiet --upgrade --generate-hashes --no-strip-extras \
	        --allow-unsafe --no-config --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	        --output-file $$name.txt $$name.in; \
	done

wheels: .venv/ready ## what the image installs, so that `docker build` fetches nothing: it takes them where this folder is there
	$(bin)/pip download --quiet --require-hashes --only-binary :all: --python-version 3.12 --dest wheels \
	    -r requirements.txt -r requirements-build.txt

clean: ## remove what was made, but not what was said (chat.db)
	rm -rf .venv .state build dist wheels *.egg-info .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache _trial_temp*
	find . -name __pycache__ -prune -exec rm -rf {} + ; rm -f twisted/plugins/dropin.cache

.venv/ready: requirements.txt requirements-dev.txt setup.py tools/venv.sh
	@PYTHON=$(PYTHON) tools/venv.sh
