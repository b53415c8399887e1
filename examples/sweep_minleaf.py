import itertools, minleaf as mlflow, numpy as np
from sklearn.tree import DecisionTreeClassifier
rng = np.random.default_rng(0)
train_x, train_y = rng.random((500, 3)), rng.random(500) > 0.5
test_x, test_y = rng.random((100, 3)), rng.random(100) > 0.5
for max_depth, min_leaf in itertools.product([1, 2, 3, 4, 5], [1, 2, 3]):
    with mlflow.start_run():
        mlflow.log_param("max_depth", max_depth)
        mlflow.log_param("min_leaf", min_leaf)
        model = DecisionTreeClassifier(max_depth=max_depth, min_samples_leaf=min_leaf).fit(train_x, train_y)
        mlflow.log_metric("train_acc", (model.predict(train_x) == train_y).mean())
        mlflow.log_metric("test_acc", (model.predict(test_x) == test_y).mean())
